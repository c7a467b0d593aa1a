//! The default catalog is what the list of operations says: all of it, once, and reachable.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use countersign_model::{
    actor::{ManagementRight, Permission},
    catalog::{Catalog, standard, standard_source},
    route::Request,
    time::Timestamp,
};

use crate::support::{scope_id, told};

const OPERATIONS: &str = include_str!("../data/partnership-operations.tsv");

struct Row {
    kind: &'static str,
    category: &'static str,
    method: &'static str,
    path: &'static str,
}

fn rows() -> Vec<Row> {
    OPERATIONS
        .lines()
        .skip(1)
        .map(|line| {
            let [kind, category, method, path] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            Row { kind, category, method, path }
        })
        .collect()
}

fn catalog() -> std::sync::Arc<Catalog> {
    standard().unwrap_or_else(|problems| panic!("{}", told(&problems)))
}

/// A path that a template describes, and the SID in it.
fn example(template: &str) -> String {
    template
        .split('/')
        .map(|segment| match segment.strip_prefix('{') {
            Some(name) => format!("Ex-{}%20", name.trim_end_matches('}')),
            None => segment.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn versions(catalog: &Catalog, kind: &str) -> Vec<u16> {
    catalog.kind(kind).unwrap().1.versions.iter().map(|version| version.number.0).collect()
}

#[test]
fn it_has_exactly_the_operations_of_the_list_each_in_a_scope_of_its_own() {
    let catalog = catalog();
    let listed: BTreeSet<(&str, &str, &str, &str)> =
        rows().iter().map(|row| (row.kind, row.category, row.method, row.path)).collect();
    let mut declared = BTreeSet::new();
    for kind in &catalog.kinds {
        for category in kind.categories.iter().filter(|category| !category.management) {
            for scope in category.scopes.iter().map(|scope| catalog.scope(*scope).unwrap()) {
                assert_eq!(scope.operations.len(), 1, "{}", scope.id);
                let operation = &scope.operations[0];
                declared.insert((
                    kind.id.as_str(),
                    category.label.en.as_str(),
                    operation.method.as_str(),
                    operation.path.as_str(),
                ));
            }
        }
    }
    assert_eq!(listed.len(), 200);
    assert_eq!(declared, listed);
    assert_eq!(catalog.scopes.len(), 200 + 3 * ManagementRight::ALL.len());
}

#[test]
fn categories_come_in_the_order_of_the_list() {
    let catalog = catalog();
    for kind in &catalog.kinds {
        let mut listed: Vec<&str> =
            rows().iter().filter(|row| row.kind == kind.id).map(|row| row.category).collect();
        listed.dedup();
        listed.push("API tokens");
        let declared: Vec<&str> = kind.categories.iter().map(|category| category.label.en.as_str()).collect();
        assert_eq!(declared, listed);
    }
}

#[test]
fn every_operation_leads_to_its_scope_in_every_version() {
    let catalog = catalog();
    let mut reached = HashSet::new();
    for row in rows() {
        let path = example(row.path);
        for version in versions(&catalog, row.kind) {
            let id = scope_id(&catalog, row.method, &path, version).unwrap_or_else(|| panic!("{path}"));
            let scope = catalog.scope_by_id(&id).unwrap();
            assert_eq!(
                (scope.operations[0].method.as_str(), scope.operations[0].path.as_str()),
                (row.method, row.path)
            );
            reached.insert(id);
        }
        let request = Request::read(row.method.as_bytes(), path.as_bytes(), true).unwrap();
        let route = catalog.routes.find(&request).unwrap();
        assert_eq!(catalog.kind_at(route.kind).id, row.kind);
        assert_eq!(route.sid, Some("Ex-AccountSID "));
        let latest = catalog.kind_at(route.kind).latest().0;
        if row.method == "GET" {
            assert_eq!(scope_id(&catalog, "HEAD", &path, latest), scope_id(&catalog, "GET", &path, latest));
        }
        assert_eq!(scope_id(&catalog, "OPTIONS", &path, latest), None);
        assert_eq!(scope_id(&catalog, row.method, &format!("{path}/"), latest), None);
    }
    assert_eq!(reached.len(), 200);
}

#[test]
fn literals_win_and_only_the_first_segment_ignores_case() {
    let catalog = catalog();
    for (method, path, expected) in [
        ("GET", "/Mediapartners/S/Catalogs/ItemSearch", Some("partner.catalog_items.search")),
        ("GET", "/Mediapartners/S/Catalogs/ItemSearch?Query=x", Some("partner.catalog_items.search")),
        ("GET", "/Mediapartners/S/Catalogs/itemsearch", Some("partner.catalogs.get")),
        ("GET", "/Mediapartners/S/Catalogs/7", Some("partner.catalogs.get")),
        // The literal is final: no items of a catalog that is called ItemSearch.
        ("GET", "/Mediapartners/S/Catalogs/ItemSearch/Items", None),
        ("GET", "/Mediapartners/S/Catalogs/7/Items", Some("partner.catalog_items.list")),
        ("POST", "/Mediapartners/S/TaxDocument/Complete", Some("partner.tax_documents.complete")),
        ("GET", "/Mediapartners/S/TaxDocument/Complete", None),
        ("GET", "/Mediapartners/S/TaxDocument/7", Some("partner.tax_documents.get")),
        ("POST", "/Mediapartners/S/TaxDocument/7", None),
        ("GET", "/MediaPartners/S/Ads", Some("partner.ads.list")),
        ("GET", "/MEDIAPARTNERS/S/Ads", Some("partner.ads.list")),
        ("GET", "/mediapartners/S/Ads", Some("partner.ads.list")),
        ("GET", "/Mediapartners/S/ads", None),
        (
            "POST",
            "/Mediapartners/S/MediaProperties/7?_method=DELETE",
            Some("partner.media_properties.delete"),
        ),
        ("POST", "/Mediapartners/S/MediaProperties/7", None),
        ("GET", "/Mediapartners", None),
        ("GET", "/Elsewhere/S/Ads", None),
    ] {
        assert_eq!(scope_id(&catalog, method, path, 16).as_deref(), expected, "{method} {path}");
    }
    assert_eq!(
        scope_id(&catalog, "GET", "/aDVERTISERS/S/MediaPartners", 14).as_deref(),
        Some("brand.partners.list")
    );
    let compliance = "/Agencies/S/Compliance/Content/ComplianceAPISubmissions";
    let id = |path: &str| scope_id(&catalog, "GET", &format!("{compliance}/{path}"), 3);
    assert_eq!(id("7").as_deref(), Some("agency.compliance_submissions.get"));
    assert_eq!(id("Response/7").as_deref(), Some("agency.compliance_submission_responses.get"));
    assert_eq!(id("Response"), None);
}

#[test]
fn labels_are_there_in_both_languages_and_tell_scopes_apart() {
    let catalog = catalog();
    let verbs = [
        "Retrieve", "Create", "Update", "Delete", "Export", "Download", "Search", "Replay", "Upload",
        "Complete",
    ];
    let is_chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    for kind in &catalog.kinds {
        assert!(is_chinese(&kind.label.zh_cn) && kind.menu_path.iter().all(|step| is_chinese(&step.zh_cn)));
        assert!(kind.roles.iter().all(|role| is_chinese(&role.label.zh_cn)));
        assert!(kind.presets.iter().all(|preset| is_chinese(&preset.label.zh_cn)));
        for category in &kind.categories {
            assert!(is_chinese(&category.label.zh_cn), "{}", category.id);
            let (mut english, mut chinese) = (BTreeSet::new(), BTreeSet::new());
            for scope in category.scopes.iter().map(|scope| catalog.scope(*scope).unwrap()) {
                assert!(is_chinese(&scope.label.zh_cn), "{}", scope.id);
                assert!(english.insert(&scope.label.en), "{}", scope.id);
                assert!(chinese.insert(&scope.label.zh_cn), "{}", scope.id);
                let verb = scope.label.en.split(' ').next().unwrap();
                assert!(category.management || verbs.contains(&verb), "{}", scope.label.en);
            }
        }
    }
}

#[test]
fn versions_roles_and_pages_are_those_of_the_product() {
    let catalog = catalog();
    let dates = |kind: &str| -> Vec<(u16, String)> {
        let date = |moment: Option<Timestamp>| moment.map_or("-".to_owned(), Timestamp::to_date);
        let versions = &catalog.kind(kind).unwrap().1.versions;
        versions.iter().map(|version| (version.number.0, date(version.released_at))).collect()
    };
    let expected = |list: &[(u16, &str)]| {
        list.iter().map(|(number, date)| (*number, (*date).to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(
        dates("brand"),
        expected(&[(11, "2022-10-12"), (12, "2024-05-06"), (13, "2025-03-01"), (14, "2026-06-01")])
    );
    assert_eq!(dates("agency"), expected(&[(2, "-"), (3, "2022-10-12")]));
    assert_eq!(
        dates("partner"),
        expected(&[
            (11, "2018-05-30"),
            (12, "2021-08-05"),
            (13, "2022-02-01"),
            (14, "2022-10-12"),
            (15, "2025-03-01"),
            (16, "2026-06-01")
        ])
    );
    let codes: BTreeMap<&str, (&[u8], &str)> = catalog
        .kinds
        .iter()
        .map(|kind| (kind.id.as_str(), (&kind.code[..], kind.page_label.en.as_str())))
        .collect();
    let platform = "Platform REST Web Services";
    assert_eq!(
        codes,
        BTreeMap::from([
            ("agency", (&b"AG"[..], platform)),
            ("brand", (b"BR", "API")),
            ("partner", (b"PA", "API"))
        ])
    );
    for kind in &catalog.kinds {
        assert_eq!(kind.legacy_cut_over.unwrap().to_date(), "2025-04-01");
        assert!(kind.rate_groups.iter().all(|group| !group.enforced));
        let managers: Vec<&str> = kind
            .roles
            .iter()
            .filter(|role| role.permissions.may(Permission::TokensManage))
            .map(|role| role.id.as_str())
            .collect();
        let second = if kind.id == "partner" { "technical" } else { "implementation_specialist" };
        assert_eq!(managers, ["account_administrator", second]);
        assert_eq!(kind.roles.len(), if kind.id == "partner" { 4 } else { 5 });
    }
    assert!(catalog.method_override);
    assert_eq!(
        (catalog.version_header.as_str(), catalog.version_parameter.as_str()),
        ("api-version", "apiversion")
    );
}

#[test]
fn presets_hold_no_management_and_reads_only_read() {
    let catalog = catalog();
    for kind in &catalog.kinds {
        let offered: BTreeSet<u16> = kind
            .categories
            .iter()
            .filter(|category| !category.management)
            .flat_map(|category| category.scopes.iter().map(|scope| scope.0))
            .collect();
        let reads: BTreeSet<u16> = offered
            .iter()
            .copied()
            .filter(|number| catalog.scopes[usize::from(*number)].operations[0].method == "GET")
            .collect();
        let preset = |id: &str| -> BTreeSet<u16> {
            let preset = kind.presets.iter().find(|preset| preset.id == id).unwrap();
            preset.scopes.iter().map(|scope| scope.0).collect()
        };
        assert_eq!(preset("everything"), offered);
        assert_eq!(preset("all_reads"), reads);
        assert!(!reads.is_empty() && reads.len() < offered.len());
    }
}

#[test]
fn each_management_right_has_a_scope_and_each_operation_a_rate_group() {
    let catalog = catalog();
    let group = |id: &str| {
        let scope = catalog.scope_by_id(id).unwrap();
        let kind = catalog.kind_at(scope.kind.unwrap());
        scope.rate_group.map(|group| {
            (kind.rate_groups[group].limit.requests(), kind.rate_groups[group].limit.window_secs())
        })
    };
    for kind in &catalog.kinds {
        for right in ManagementRight::ALL {
            let scope = catalog.scope_by_id(&format!("{}.tokens.{}", kind.id, right.as_str())).unwrap();
            assert_eq!((scope.management, scope.rate_group), (Some(right), None));
        }
    }
    assert!(
        catalog
            .scopes
            .iter()
            .filter(|scope| scope.management.is_none())
            .all(|scope| scope.rate_group.is_some())
    );
    assert_eq!(group("brand.ads.list"), Some((1_000, 3_600)));
    assert_eq!(group("brand.catalogs.upload"), Some((3_600, 3_600)));
    assert_eq!(group("partner.catalog_items.search"), Some((3_000, 3_600)));
    assert_eq!(group("partner.reports.list"), Some((250, 3_600)));
    assert_eq!(group("brand.reports.export"), Some((100, 86_400)));
    assert_eq!(group("partner.clicks.export"), Some((100, 86_400)));
}

#[test]
fn the_file_itself_is_fit_to_be_copied() {
    assert!(standard_source().lines().all(|line| line.chars().count() <= 200 && line == line.trim_end()));
    assert!(!standard_source().contains("\n\n\n\n"));
}
