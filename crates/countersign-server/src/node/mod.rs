//! What runs beside the requests: each task bounded and stoppable.

mod anchor;
mod announcing;
mod checkpoints;
mod follower;
mod gateway_profile;
mod gateway_table;
mod outbox;
mod reminders;
mod rotation;
mod sweeper;
mod usage_flush;
mod use_file;
mod vitals;

pub use anchor::{ANCHOR_FILE, AnchorError, AnchorFile, AnchorKeeper, Inspection};
pub use announcing::announce;
pub use checkpoints::keep_checkpoints;
pub use follower::Follower;
pub use gateway_profile::{GatewayProfile, Recipe};
pub use gateway_table::{GatewayTable, LiveGateway, TagRenewal};
pub use outbox::{deliver, deliver_due};
pub use reminders::remind;
pub use rotation::rotate;
pub use sweeper::sweep;
pub use usage_flush::UsageFlush;
pub use vitals::Vitals;
