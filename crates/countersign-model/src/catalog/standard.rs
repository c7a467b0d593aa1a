//! The default catalog: a partnership-marketing API with brand, agency and partner accounts. It is a file like any
//! other, only built in; nothing treats it differently.

use std::sync::Arc;

use super::{Catalog, Numbering, Problem, compile, parse};

/// The source of the default catalog.
pub fn standard_source() -> &'static str {
    include_str!("standard.toml")
}

/// The default catalog over an empty numbering: what a new installation has. Our own tests show that it has no problem.
pub fn standard() -> Result<Arc<Catalog>, Vec<Problem>> {
    let file = parse(standard_source())?;
    let (catalog, _) = compile(&file, &Numbering::default()).map_err(|problem| vec![problem])?;
    Ok(Arc::new(catalog))
}
