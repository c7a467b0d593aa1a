//! In which API versions a secret was used since that was last reported.

use countersign_model::api_version::ApiVersion;

use crate::limits::VERSIONS_PER_REPORT_MAX;

/// No version has this number.
const EMPTY: u16 = 0;

/// API versions that were in effect; the numbers of a catalog, so never 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Versions([u16; VERSIONS_PER_REPORT_MAX]);

impl Versions {
    pub(super) fn of(numbers: [u16; VERSIONS_PER_REPORT_MAX]) -> Self {
        Self(numbers)
    }

    /// Each of them once, in no order.
    pub fn iter(&self) -> impl Iterator<Item = ApiVersion> + '_ {
        self.0.iter().filter(|number| **number != EMPTY).map(|number| ApiVersion(*number))
    }
}
