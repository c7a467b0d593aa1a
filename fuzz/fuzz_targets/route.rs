//! Whatever a gateway passes on as method and URI: reading it never panics, a path that is accepted has one spelling
//! only, and the default catalog finds at most one operation for it.
#![no_main]

use std::sync::{Arc, LazyLock};

use countersign_model::{
    catalog::{Catalog, standard},
    route::Request,
};
use libfuzzer_sys::fuzz_target;

static CATALOG: LazyLock<Arc<Catalog>> =
    LazyLock::new(|| standard().expect("the default catalog has no problem"));

fuzz_target!(|data: &[u8]| {
    let (method, uri) = match data.iter().position(|byte| *byte == b' ') {
        Some(space) => (&data[..space], &data[space + 1..]),
        None => (&b"GET"[..], data),
    };
    for method_override in [false, true] {
        let Ok(request) = Request::read(method, uri, method_override) else { continue };
        for segment in &request.segments {
            assert!(!matches!(segment.as_ref(), "." | ".."));
            assert!(!segment.contains(['/', '\\', ';', '\0', '\r', '\n']));
        }
        let (last, front) = request.segments.split_last().expect("a path has a segment");
        assert!(front.iter().all(|segment| !segment.is_empty()), "{last:?} ends a path with `//`");
        assert!(method_override || request.method.as_bytes() == method);
        request.parameters().for_each(drop);
        request.parameter_values(&CATALOG.version_parameter).for_each(drop);
        let Some(route) = CATALOG.routes.find(&request) else { continue };
        for plan in &CATALOG.kind_at(route.kind).versions {
            if let Some(scope) = route.scope(&CATALOG, &request.method, plan.number) {
                let info = CATALOG.scope(scope).expect("a route leads to a scope that exists");
                assert_eq!(info.kind, Some(route.kind));
                assert!(info.management.is_none() && info.exists_in(plan.number));
            }
        }
    }
});
