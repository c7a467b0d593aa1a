//! What the audit trail keeps of a token: its fields in words, never a secret, and of a change only what changed.

use countersign_model::{catalog::Catalog, scope::ScopeSet};
use countersign_store::{Token, TokenState};
use serde_json::{Map, Value, json};

/// The fields of a token.
pub(in crate::ops) fn facts(catalog: &Catalog, token: &Token) -> Value {
    json!({
        "sid": token.sid,
        "name": token.name,
        "description": token.description,
        "access": token.access.kind().as_str(),
        "scopes": token.access.scopes().map(|scopes| scope_ids(catalog, scopes)),
        "api_version": token.api_version,
        "primary_contact": token.primary_contact,
        "developer_emails": token.developer_emails,
        "state": state_word(token.state),
        "expires_at": token.expires_at.map(|moment| moment.to_string()),
        "addresses": token.addresses,
        "rate_limit": token.rate_limit.map(|limit| {
            json!({ "requests": limit.requests(), "window_secs": limit.window_secs() })
        }),
        "made_by": token.made_by,
        "secret_generation": token.secrets.first().map(|secret| secret.generation),
        "overlap_ends_at": token.secrets.get(1).and_then(|old| old.ends_at).map(|moment| moment.to_string()),
    })
}

/// The fields that differ, before and after.
pub(in crate::ops) fn difference(before: &Value, after: &Value) -> (Value, Value) {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return (before.clone(), after.clone());
    };
    let mut changed = (Map::new(), Map::new());
    for (field, new) in after {
        let old = before.get(field).unwrap_or(&Value::Null);
        if old != new {
            changed.0.insert(field.clone(), old.clone());
            changed.1.insert(field.clone(), new.clone());
        }
    }
    (Value::Object(changed.0), Value::Object(changed.1))
}

/// What changed between two states of a token.
pub(in crate::ops) fn changes(catalog: &Catalog, before: &Token, after: &Token) -> (Value, Value) {
    difference(&facts(catalog, before), &facts(catalog, after))
}

/// The stable ids of scopes.
pub(in crate::ops) fn scope_ids<'c>(catalog: &'c Catalog, scopes: &ScopeSet) -> Vec<&'c str> {
    scopes.iter().filter_map(|scope| catalog.scope(scope)).map(|info| info.id.as_str()).collect()
}

/// `enabled` or `disabled`.
pub(in crate::ops) const fn state_word(state: TokenState) -> &'static str {
    match state {
        TokenState::Enabled => "enabled",
        TokenState::Disabled => "disabled",
    }
}
