//! Every rule of a catalog file, broken once: the problem names the place, what is wrong, and the fix.

use countersign_model::{
    catalog::{parse, standard_source},
    limits::CATALOG_PROBLEMS_MAX,
};
use proptest::prelude::*;

use crate::support::{SMALL, told};

/// What is replaced in the small catalog, what it becomes, and everything that is told about it.
#[rustfmt::skip]
const CASES: &[(&str, &str, &str)] = &[
    // TOML itself, and the keys of its tables.
    ("id = \"shop\"", "id = shop", "line 6, column 6: this is not TOML: string values must be quoted, expected literal string; mend the syntax (https://toml.io)"),
    ("id = \"shop\"", "id = \"shop\"\nid = \"shop\"", "line 7, column 1: this is not TOML: duplicate key; mend the syntax (https://toml.io)"),
    ("[[kind]]", "[kind]", "line 76, column 3: this is not TOML: duplicate key; mend the syntax (https://toml.io)"),
    ("code = \"SH\"", "code = 7", "line 7, column 8: `code` is the number 7; write a text in quotes"),
    ("code = \"SH\"", "code = \"SH\"\ncolour = \"red\"", "line 8, column 1: the account kind has an unknown key `colour`; use one of id, code, label, page_label, menu_path, legacy_cut_over, default_rate_group, token_lifetime_days, base_url, version, role, rate_group, preset, category, or take it away"),
    ("code = \"SH\"\n", "", "line 5, column 1: the account kind has no `code`; add `code = \"...\"`"),
    ("version_header = \"API-Version\"\n", "", "line 1, column 1: the file has no `version_header`; add `version_header = \"...\"`"),
    ("number = 2", "number = 70000", "line 22, column 10: `number` is the number 70000; write a whole number from 0 to 65535 in decimal digits"),
    ("number = 2", "number = -1", "line 22, column 10: `number` is the number -1; write a whole number from 0 to 65535 in decimal digits"),
    ("number = 2", "number = 0x10", "line 22, column 10: `number` is the number 0x10; write a whole number from 0 to 65535 in decimal digits"),
    ("number = 2", "number = \"2\"", "line 22, column 10: `number` is a text; write a whole number from 0 to 65535 in decimal digits"),
    ("method_override = true", "method_override = \"yes\"", "line 3, column 19: `method_override` is a text; write true or false"),
    ("menu_path = [{ en = \"Settings\", zh_cn = \"设置\" }]", "menu_path = \"Settings\"", "line 10, column 13: `menu_path` is a text; write a list of names, such as [{ en = \"...\", zh_cn = \"...\" }]"),
    ("permissions = [\"tokens.view\"]", "permissions = [7]", "line 32, column 16: an entry of `permissions` is the number 7; write a text in quotes"),
    // Settings.
    ("\"API-Version\"", "\"API Version\"", "line 1, column 18: `API Version` cannot be the version header; write letters, digits and `-`, such as API-Version; no header in use"),
    ("\"API-Version\"", "\"Authorization\"", "line 1, column 18: `Authorization` cannot be the version header; write letters, digits and `-`, such as API-Version; no header in use"),
    ("\"API-Version\"", "\"X-Countersign-Sid\"", "line 1, column 18: `X-Countersign-Sid` cannot be the version header; write letters, digits and `-`, such as API-Version; no header in use"),
    ("\"ApiVersion\"", "\"Api=Version\"", "line 2, column 21: `Api=Version` cannot be the version parameter; write letters, digits, `_`, `.` and `-`, such as ApiVersion; not _method"),
    ("\"ApiVersion\"", "\"_Method\"", "line 2, column 21: `_Method` cannot be the version parameter; write letters, digits, `_`, `.` and `-`, such as ApiVersion; not _method"),
    // Ids and codes.
    ("id = \"clerk\"", "id = \"Clerk\"", "line 30, column 6: `Clerk` is not an id; begin with a-z, go on with a-z, 0-9, `_`, `.` or `-`, at most 100 bytes"),
    ("id = \"clerk\"", "id = \"\"", "line 30, column 6: `` is not an id; begin with a-z, go on with a-z, 0-9, `_`, `.` or `-`, at most 100 bytes"),
    ("id = \"clerk\"", "id = \"owner\"", "line 30, column 6: the role id `owner` is already taken; choose another; each is used once"),
    ("code = \"SH\"", "code = \"Sh\"", "line 7, column 8: `Sh` is not a kind code; write two letters A-Z, such as BR"),
    ("code = \"SH\"", "code = \"SHO\"", "line 7, column 8: `SHO` is not a kind code; write two letters A-Z, such as BR"),
    ("code = \"DE\"", "code = \"SH\"", "line 78, column 8: the kind code `SH` is already taken; choose another; each is used once"),
    ("id = \"depot\"", "id = \"shop\"", "line 77, column 6: the kind id `shop` is already taken; choose another; each is used once\nline 96, column 6: `depot.parcels.get` does not begin with its account kind; write `shop.` in front of it"),
    ("id = \"tokens\"", "id = \"orders\"", "line 67, column 6: the category id `orders` is already taken; choose another; each is used once"),
    ("id = \"orders\"\nlabel = { en = \"Orders\", zh_cn = \"订单\" }\nscopes", "id = \"reads\"\nlabel = { en = \"Orders\", zh_cn = \"订单\" }\nscopes", "line 46, column 6: the preset id `reads` is already taken; choose another; each is used once"),
    ("id = \"shop.orders.create\"", "id = \"shop.orders.list\"", "line 60, column 6: the scope id `shop.orders.list` is already taken; choose another; each is used once"),
    ("id = \"shop.orders.create\"", "id = \"depot.orders.create\"", "line 60, column 6: `depot.orders.create` does not begin with its account kind; write `shop.` in front of it"),
    ("id = \"shop.orders.create\"", "id = \"shop.\"", "line 60, column 6: `shop.` does not begin with its account kind; write `shop.` in front of it"),
    // Labels.
    (", zh_cn = \"商店\"", "", "line 8, column 9: the label has no `zh_cn`; add `zh_cn = \"...\"`"),
    ("zh_cn = \"商店\"", "zh_cn = \" \"", "line 8, column 32: the label cannot be shown: it must not be empty; write a short plain name"),
    ("en = \"Shop\"", "en = \"Shop\\u202e\"", "line 8, column 16: the label cannot be shown: it holds the invisible character U+202E; control and text direction characters are not allowed; write a short plain name"),
    ("zh_cn = \"商店\"", "zh_cn = \"商店\", fr = \"Magasin\"", "line 8, column 38: the label has an unknown key `fr`; use one of en, zh_cn, or take it away"),
    ("label = { en = \"Clerk\", zh_cn = \"店员\" }", "label = \"Clerk\"", "line 31, column 9: `label` is a text; write a name in both languages, { en = \"...\", zh_cn = \"...\" }"),
    // Lives and addresses.
    ("code = \"SH\"", "code = \"SH\"\ntoken_lifetime_days = 0", "line 8, column 23: a maximum lifetime is 1 to 3650 days; choose a number of days, or leave the line out"),
    ("code = \"SH\"", "code = \"SH\"\ntoken_lifetime_days = 3651", "line 8, column 23: `token_lifetime_days` is the number 3651; write a whole number from 0 to 3650 in decimal digits"),
    ("code = \"SH\"", "code = \"SH\"\nbase_url = \"https://api.example.com/\"", "line 8, column 12: `https://api.example.com/` is not where an API is reached; write scheme, host and perhaps a path, without a slash at the end, such as https://api.example.com"),
    ("code = \"SH\"", "code = \"SH\"\nbase_url = \"ftp://api.example.com\"", "line 8, column 12: `ftp://api.example.com` is not where an API is reached; write scheme, host and perhaps a path, without a slash at the end, such as https://api.example.com"),
    ("code = \"SH\"", "code = \"SH\"\nbase_url = \"https://api.example.com/$(id)\"", "line 8, column 12: `https://api.example.com/$(id)` is not where an API is reached; write scheme, host and perhaps a path, without a slash at the end, such as https://api.example.com"),
    // Versions.
    ("number = 2", "number = 1", "line 22, column 10: version 1 follows version 1; list each version once, lowest first\nline 63, column 9: `shop` has no version 2; declare it with [[kind.version]], or name one that is"),
    ("number = 1", "number = 0", "line 15, column 10: 0 is not a version; count versions from 1"),
    ("number = 1", "number = 3", "line 22, column 10: version 2 follows version 3; list each version once, lowest first"),
    ("[[kind.version]]\nnumber = 1\n\n", "", "line 77, column 6: `depot` has no API version; add a [[kind.version]] table with its number"),
    ("sunset = 2026-01-01", "sunset = 2024-06-01", "line 18, column 10: 2024-06-01 comes before 2025-01-01; let released, deprecated and sunset follow in this order"),
    ("deprecated = 2025-01-01\nsunset = 2026-01-01", "sunset = 2023-06-01", "line 17, column 10: 2023-06-01 comes before 2024-01-01; let released, deprecated and sunset follow in this order"),
    ("released = 2024-01-01", "released = \"2024-02-30\"", "line 16, column 12: `released` is a text; write a date such as 2025-03-01, without quotes and time"),
    ("released = 2024-01-01", "released = 2024-01-01T00:00:00Z", "line 16, column 12: `released` is a date or time; write a date such as 2025-03-01, without quotes and time"),
    ("released = 2024-01-01", "released = 2024-02-30", "line 16, column 12: this is not TOML: invalid date, expected day between 01 and 29; mend the syntax (https://toml.io)"),
    ("https://example.com/notes/1", "javascript:alert(1)", "line 19, column 13: `javascript:alert(1)` is not the address of a web page; write an address that begins with https://"),
    ("since = 2", "since = 3", "line 63, column 9: `shop` has no version 3; declare it with [[kind.version]], or name one that is"),
    ("since = 2", "since = 2\nuntil = 1", "line 64, column 9: `shop.orders.create` ends before it begins; let since be no higher than until"),
    // Roles.
    ("permissions = [\"*\"]", "permissions = [\"tokens.*\"]", "line 25, column 6: the first role, `owner`, lacks a permission; give it permissions = [\"*\"], or put the role that has all first"),
    ("permissions = [\"tokens.view\"]", "permissions = [\"tokens.see\"]", "line 32, column 16: `tokens.see` is not a permission; use *, tokens.*, or tokens.view, tokens.manage, secrets.reveal, members.manage, audit.view, account.manage"),
    ("[[kind.role]]\nid = \"owner\"\nlabel = { en = \"Owner\", zh_cn = \"所有者\" }\npermissions = [\"*\"]\n\n[[kind.category]]\nid = \"parcels\"", "[[kind.category]]\nid = \"parcels\"", "line 77, column 6: `depot` has no role; add a [[kind.role]] table with permissions = [\"*\"]"),
    // Rate groups.
    ("requests = 100", "requests = 0", "line 36, column 12: a rate limit is 1 to 1000000000 requests in 1 to 2678400 seconds; choose numbers between these limits"),
    ("default_rate_group = \"default\"", "default_rate_group = \"fast\"", "line 12, column 22: there is no rate group `fast` in `shop`; declare it with [[kind.rate_group]], or name one that is"),
    ("since = 2\nrate_group = \"default\"", "since = 2\nrate_group = \"fast\"", "line 64, column 14: there is no rate group `fast` in `shop`; declare it with [[kind.rate_group]], or name one that is"),
    ("management = true", "management = true\nrate_group = \"fast\"", "line 70, column 14: there is no rate group `fast` in `shop`; declare it with [[kind.rate_group]], or name one that is"),
    // Presets.
    ("select = \"reads\"", "select = \"writes\"", "line 43, column 10: the preset does not say what is in it; write either select = \"reads\", select = \"all\", or scopes = [\"...\"]"),
    ("select = \"reads\"\n", "", "line 40, column 1: the preset does not say what is in it; write either select = \"reads\", select = \"all\", or scopes = [\"...\"]"),
    ("select = \"reads\"", "select = \"reads\"\nscopes = []", "line 43, column 10: the preset does not say what is in it; write either select = \"reads\", select = \"all\", or scopes = [\"...\"]"),
    ("scopes = [\"shop.orders.list\"]", "scopes = [\"shop.orders.lost\"]", "line 48, column 11: there is no scope `shop.orders.lost` in `shop`; name a scope of this account kind"),
    ("scopes = [\"shop.orders.list\"]", "scopes = [\"depot.parcels.get\"]", "line 48, column 11: there is no scope `depot.parcels.get` in `shop`; name a scope of this account kind"),
    ("scopes = [\"shop.orders.list\"]", "scopes = [\"shop.tokens.view\"]", "line 48, column 11: `shop.tokens.view` manages tokens; take it away: management is granted by hand, never by a preset"),
    ("scopes = [\"shop.orders.list\"]", "scopes = [\"shop.orders.list\", \"shop.orders.list\"]", "line 48, column 31: the scope of the preset `shop.orders.list` is already taken; choose another; each is used once"),
    // Management.
    ("manages = \"view\"", "manages = \"see\"", "line 74, column 11: `see` is not a management right; use one of view, create, edit, disable, enable, reset, delete"),
    ("manages = \"view\"", "manages = \"view\"\noperations = [\"GET /Shops/{AccountSID}/Tokens\"]", "line 75, column 15: `shop.tokens.view` manages tokens and has operations; take the operations away: management is not behind the gateway"),
    ("manages = \"view\"\n", "", "line 72, column 6: `shop.tokens.view` is in a management category and manages nothing; add manages = \"view\" or another right, or move it to another category"),
    ("management = true\n", "", "line 73, column 11: `shop.tokens.view` manages tokens outside of a management category; move it to a category with management = true"),
    ("manages = \"view\"\n", "manages = \"view\"\n\n[[kind.category.scope]]\nid = \"shop.tokens.see\"\nlabel = { en = \"See\", zh_cn = \"看\" }\nmanages = \"view\"\n", "line 79, column 11: `shop.tokens.see` stands for the same right as `shop.tokens.view`; declare one scope per management right"),
    // Operations.
    ("operations = [\"POST /Shops/{AccountSID}/Orders\"]\n", "", "line 60, column 6: `shop.orders.create` has no operation; add operations = [\"GET /...\"]"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"/Shops/{AccountSID}/Orders\"", "line 62, column 15: `/Shops/{AccountSID}/Orders` is not an operation; write a method, one space and a path, such as \"GET /Things/{Id}\""),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"HEAD /Shops/{AccountSID}/Orders\"", "line 62, column 15: `HEAD /Shops/{AccountSID}/Orders` has no method of the catalog; leave HEAD out: whoever may GET may HEAD"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"post /Shops/{AccountSID}/Orders\"", "line 62, column 15: `post /Shops/{AccountSID}/Orders` has no method of the catalog; use one of GET, POST, PUT, PATCH, DELETE"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST Shops/{AccountSID}/Orders\"", "line 62, column 15: `POST Shops/{AccountSID}/Orders` has no path template; a path begins with `/` and has at most 8192 bytes and 32 segments"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /\"", "line 62, column 15: `POST /` has no path template; a segment is empty; only the last may be, for a trailing slash"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /{AccountSID}/Orders\"", "line 62, column 15: `POST /{AccountSID}/Orders` has no path template; the first segment is a literal: it tells the account kinds apart"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /Shops//Orders\"", "line 62, column 15: `POST /Shops//Orders` has no path template; a segment is empty; only the last may be, for a trailing slash"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /Shops/../Orders\"", "line 62, column 15: `POST /Shops/../Orders` has no path template; `..` is not a segment: write letters, digits and -._~!$&'()*+,=:@, but no dot segment"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /Shops/%41/Orders\"", "line 62, column 15: `POST /Shops/%41/Orders` has no path template; `%41` is not a segment: write letters, digits and -._~!$&'()*+,=:@, but no dot segment"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /Shops/a;b/Orders\"", "line 62, column 15: `POST /Shops/a;b/Orders` has no path template; `a;b` is not a segment: write letters, digits and -._~!$&'()*+,=:@, but no dot segment"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /Shops/{AccountSID}/Orders?x=1\"", "line 62, column 15: `POST /Shops/{AccountSID}/Orders?x=1` has no path template; `Orders?x=1` is not a segment: write letters, digits and -._~!$&'()*+,=:@, but no dot segment"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /Shops/x{Id}/Orders\"", "line 62, column 15: `POST /Shops/x{Id}/Orders` has no path template; `x{Id}` is not a parameter: write {Name} as a whole segment, letters, digits and `_` only"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /Shops/{}/Orders\"", "line 62, column 15: `POST /Shops/{}/Orders` has no path template; `{}` is not a parameter: write {Name} as a whole segment, letters, digits and `_` only"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /Shops/{AccountSID}/{AccountSID}\"", "line 62, column 15: `POST /Shops/{AccountSID}/{AccountSID}` has no path template; the parameter {AccountSID} stands there twice"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /Shops/{AccountSid}/Orders\"", "line 62, column 15: `POST /Shops/{AccountSid}/Orders` has no path template; {AccountSid} looks like {AccountSID}, but is written differently, so no SID would be compared"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"GET /shops/{AccountSID}/Orders\"", "line 62, column 15: GET /shops/{AccountSID}/Orders is already an operation of `shop.orders.list`; give an operation to one scope in each version; use since and until"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /Shops/{Id}/Orders\"", "line 62, column 15: `/Shops/{Id}/Orders` and `/Shops/{AccountSID}/Orders` are the same paths with the SID in different places; write {AccountSID} in the same place"),
    ("\"GET /Depots/", "\"GET /SHOPS/", "line 98, column 15: `/SHOPS/{AccountSID}/Parcels/{Id}` begins like the paths of `shop`; let each account kind have first segments of its own; letter case does not count"),
    ("\"POST /Shops/{AccountSID}/Orders\"", "\"POST /Shops/{AccountSID}/Orders\", \"POST /Shops/{AccountSID}/Orders\"", "line 62, column 50: POST /Shops/{AccountSID}/Orders is already an operation of `shop.orders.create`; give an operation to one scope in each version; use since and until"),
];

#[test]
fn each_broken_rule_is_told() {
    assert!(parse(SMALL).is_ok());
    for (find, replace, expected) in CASES {
        assert!(SMALL.contains(find), "{find}");
        let source = SMALL.replacen(find, replace, 1);
        let problems = parse(&source).err().unwrap_or_else(|| panic!("accepted: {find:?} -> {replace:?}"));
        assert_eq!(told(&problems).trim_end(), *expected, "{find:?} -> {replace:?}");
    }
}

#[test]
fn many_problems_are_told_at_once_in_order() {
    let lines = |source: &str| -> Vec<usize> {
        parse(source).unwrap_err().iter().map(|problem| problem.line).collect()
    };
    let single_values = SMALL
        .replace("code = \"SH\"", "code = \"x\"")
        .replace("id = \"clerk\"", "id = \"Clerk\"")
        .replace("requests = 100", "requests = 0")
        .replace("zh_cn = \"包裹\"", "zh_cn = \"\"");
    assert_eq!(lines(&single_values), [7, 30, 36, 93]);
    let between_entries =
        SMALL.replace("manages = \"view\"", "since = 9\nrate_group = \"none\"").replace("\"DE\"", "\"SH\"");
    assert_eq!(lines(&between_entries), [72, 74, 75, 79]);
}

#[test]
fn a_column_counts_characters() {
    let source = SMALL.replace("zh_cn = \"商店\" }", "zh_cn = \"商店\" } x");
    let problems = parse(&source).unwrap_err();
    assert_eq!((problems[0].line, problems[0].column), (8, 39));
}

#[test]
fn a_file_without_anything_lacks_everything_it_needs() {
    let expected = "line 1, column 1: the file has no `version_header`; add `version_header = \"...\"`\n\
                    line 1, column 1: the file has no `version_parameter`; add `version_parameter = \"...\"`\n\
                    line 1, column 1: the file declares no account kind; add a [[kind]] table\n";
    assert_eq!(told(&parse("").unwrap_err()), expected);
}

#[test]
fn no_more_problems_are_told_than_a_person_reads() {
    let keys: Vec<String> = (0..1_000).map(|number| format!("unknown{number} = 1\n")).collect();
    assert_eq!(parse(&keys.concat()).unwrap_err().len(), CATALOG_PROBLEMS_MAX);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(source in "\\PC{0,400}") {
        if let Err(problems) = parse(&source) {
            prop_assert!(!problems.is_empty());
        }
    }

    #[test]
    fn no_spoilt_catalog_makes_it_panic_and_every_problem_has_a_place(
        from in 0_usize..4_000,
        length in 0_usize..40,
        patch in "[\\[\\]{}=\"\\n a-z0-9./-]{0,20}",
        of_standard in any::<bool>(),
    ) {
        let whole = if of_standard { standard_source() } else { SMALL };
        let from = whole.floor_char_boundary(from.min(whole.len()));
        let end = whole.floor_char_boundary((from + length).min(whole.len()));
        let source = format!("{}{patch}{}", &whole[..from], &whole[end..]);
        if let Err(problems) = parse(&source) {
            let lines = source.lines().count() + 1;
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.is_sorted_by_key(|problem| (problem.line, problem.column)));
            for problem in problems {
                prop_assert!((1..=lines).contains(&problem.line), "{}", problem);
                prop_assert!(!problem.message.is_empty() && !problem.fix.is_empty());
            }
        }
    }
}
