//! Use cases of tokens: list, create, edit, reveal, reset, duplicate, upgrade, disable, enable, delete. Each mutation is
//! one write with one audit entry, and is in force when it answers. Legacy credentials are not tokens here: their ids
//! are unknown to everything in this room.

pub(super) mod create;
pub(super) mod deed;
mod delete;
pub(super) mod draft;
pub(super) mod duplicate;
mod edit;
mod end_overlap;
pub(super) mod facts;
mod find;
pub(crate) mod lifetimes;
mod offspring;
mod reach;
mod reset;
pub(super) mod reveal;
mod switch;
mod told;
pub(super) mod upgrade;
mod view;

pub use create::create;
pub use delete::{Deleted, DeletionAsk, delete};
pub use draft::{NewToken, Patch, TokenEdit};
pub use duplicate::duplicate;
pub use edit::edit;
pub use end_overlap::end_overlap;
pub use find::{Found, find, proven};
pub use reset::{Overlap, reset};
pub use reveal::{Revealed, reveal};
pub use switch::{disable, enable};
pub use told::Told;
pub use upgrade::upgrade;
pub(crate) use view::current;
pub(in crate::ops) use view::view as view_of;
pub use view::{
    Contact, Created, EffectiveState, HeldScope, ListAsk, Listing, StateAsk, TokenView, get, list,
};

use countersign_model::{change::Seq, id::TokenId};

use super::secrets::Shown;

/// What a mutation of one token answers.
pub struct Answer {
    /// The token as it is now.
    pub view: TokenView,
    /// The change from which on it is so: a verifier that has seen it decides accordingly.
    pub seq: Seq,
    /// The secret, where one was made.
    pub shown: Option<Shown>,
    /// The tokens it had made that were changed with it.
    pub made_by_it: Vec<TokenId>,
}
