//! A page of a list on the wire.

use countersign_store::Page;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    extract::{ListPlace, seal_cursor},
    words,
};
use crate::{app::App, error::Error};

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct PageOf<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to send as `after` for the next page; `null` at the end.
    #[schema(value_type = Option<words::Cursor>)]
    pub next: Option<String>,
}

impl<T> PageOf<T> {
    /// Renders a page, with its cursor sealed for this list.
    pub fn of<R>(
        app: &App,
        place: ListPlace,
        page: Page<R>,
        render: impl FnMut(R) -> T,
    ) -> Result<Self, Error> {
        let next = seal_cursor(app, place, page.next)?;
        Ok(Self { items: page.rows.into_iter().map(render).collect(), next })
    }

    /// A list that is always told whole.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}
