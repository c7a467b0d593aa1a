//! Whatever an operator loads as a catalog: reading it never panics, what is refused is explained, and what is accepted
//! compiles to numbers that only ever grow.
#![no_main]

use countersign_model::catalog::{Numbering, compile, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(source) = std::str::from_utf8(data) else { return };
    let file = match parse(source) {
        Ok(file) => file,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a word");
            for problem in &problems {
                assert!(problem.line >= 1 && problem.column >= 1);
                assert!(!problem.message.is_empty() && !problem.fix.is_empty());
            }
            return;
        }
    };
    let Ok((catalog, numbering)) = compile(&file, &Numbering::default()) else {
        panic!("over an empty numbering every checked file has room");
    };
    assert!(!catalog.kinds.is_empty());
    for (index, info) in catalog.scopes.iter().enumerate() {
        assert_eq!(usize::from(info.number.0), index);
        assert_eq!(catalog.scope_by_id(&info.id).map(|found| found.number), Some(info.number));
    }
    // Compiled over its own numbers, everything keeps its number and none is new.
    let (again, same) = compile(&file, &numbering).expect("its own numbers fit");
    assert_eq!(same, numbering);
    assert_eq!(again.scopes.len(), catalog.scopes.len());
});
