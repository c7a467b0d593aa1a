//! All path templates of a catalog as one tree of segments. At each segment a literal wins over a parameter, and the
//! choice is final: there is no going back, so a path has one reading that a person can follow with a finger.

use super::{
    Request,
    template::{PathTemplate, TemplateSegment},
};
use crate::{
    api_version::ApiVersion,
    catalog::{Catalog, KindIndex},
    scope::Scope,
};

/// All path templates of all account kinds.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    /// First segments in lower case with their nodes, sorted.
    bases: Vec<(Box<str>, usize)>,
    nodes: Vec<Node>,
}

/// What a path matched, whatever the method and version.
#[derive(Debug, Clone, Copy)]
pub struct Route<'t, 'r> {
    /// The account kind of the path.
    pub kind: KindIndex,
    /// The SID segment, where the template has one.
    pub sid: Option<&'r str>,
    operations: &'t [Entry],
}

/// A place in the tree: the way on, and what ends here.
#[derive(Debug, Clone, Default)]
struct Node {
    /// Literals with their nodes, sorted.
    literals: Vec<(Box<str>, usize)>,
    parameter: Option<usize>,
    end: Option<End>,
}

/// The templates that end at one node; they differ in the names of their parameters at most.
#[derive(Debug, Clone)]
struct End {
    kind: KindIndex,
    sid_index: Option<usize>,
    operations: Vec<Entry>,
}

/// One operation under a template. Several scopes can share it, in different versions.
#[derive(Debug, Clone)]
struct Entry {
    method: Box<str>,
    scope: Scope,
}

impl RouteTable {
    /// Adds an operation. The catalog's checks have seen to it that a path has one kind and one place for its SID.
    pub(crate) fn insert(&mut self, kind: KindIndex, method: &str, template: &PathTemplate, scope: Scope) {
        let mut node = child(&mut self.bases, &mut self.nodes, &template.base());
        for segment in template.segments.iter().skip(1) {
            node = match segment {
                TemplateSegment::Literal(literal) => {
                    let mut literals = std::mem::take(&mut self.nodes[node].literals);
                    let next = child(&mut literals, &mut self.nodes, literal);
                    self.nodes[node].literals = literals;
                    next
                }
                TemplateSegment::Parameter(_) => self.parameter_child(node),
            };
        }
        let end = self.nodes[node].end.get_or_insert_with(|| End {
            kind,
            sid_index: template.sid_index(),
            operations: Vec::new(),
        });
        end.operations.push(Entry { method: method.into(), scope });
    }

    fn parameter_child(&mut self, node: usize) -> usize {
        let next = self.nodes.len();
        let found = *self.nodes[node].parameter.get_or_insert(next);
        if found == next {
            self.nodes.push(Node::default());
        }
        found
    }

    /// The template a path matches: literal before parameter, without falling back; only the first segment ignores
    /// letter case. A parameter never matches an empty segment.
    pub fn find<'t, 'r>(&'t self, request: &'r Request<'_>) -> Option<Route<'t, 'r>> {
        let (base, rest) = request.segments.split_first()?;
        let start = self
            .bases
            .binary_search_by(|(literal, _)| {
                literal.bytes().cmp(base.bytes().map(|byte| byte.to_ascii_lowercase()))
            })
            .ok()?;
        let mut node = self.nodes.get(self.bases[start].1)?;
        for segment in rest {
            let next = match node.literals.binary_search_by(|(literal, _)| (**literal).cmp(segment)) {
                Ok(found) => node.literals[found].1,
                Err(_) if segment.is_empty() => return None,
                Err(_) => node.parameter?,
            };
            node = self.nodes.get(next)?;
        }
        let end = node.end.as_ref()?;
        let sid = end.sid_index.and_then(|index| request.segments.get(index)).map(AsRef::as_ref);
        Some(Route { kind: end.kind, sid, operations: &end.operations })
    }
}

impl<'t> Route<'t, '_> {
    /// The scope of this method in this version; HEAD uses GET's.
    pub fn scope(&self, catalog: &Catalog, method: &str, version: ApiVersion) -> Option<Scope> {
        let method = if method == "HEAD" { "GET" } else { method };
        self.operations
            .iter()
            .filter(|entry| &*entry.method == method)
            .map(|entry| entry.scope)
            .find(|scope| catalog.scope(*scope).is_some_and(|info| info.exists_in(version)))
    }

    /// Every method under this template with its scope, of all versions.
    pub fn operations(&self) -> impl Iterator<Item = (&'t str, Scope)> + use<'t> {
        self.operations.iter().map(|entry| (&*entry.method, entry.scope))
    }
}

/// The node behind a literal, made when there is none. The list stays sorted.
fn child(literals: &mut Vec<(Box<str>, usize)>, nodes: &mut Vec<Node>, literal: &str) -> usize {
    match literals.binary_search_by(|(known, _)| (**known).cmp(literal)) {
        Ok(found) => literals[found].1,
        Err(place) => {
            nodes.push(Node::default());
            literals.insert(place, (literal.into(), nodes.len() - 1));
            nodes.len() - 1
        }
    }
}
