//! What runs beside the requests: each task bounded and stoppable.

mod follower;
mod gateway_table;
mod sweeper;
mod usage_flush;
mod vitals;

pub use follower::Follower;
pub use gateway_table::{GatewayProfile, GatewayTable, LiveGateway};
pub use sweeper::sweep;
pub use usage_flush::UsageFlush;
pub use vitals::Vitals;
