//! Path templates as catalogs write them: literals and `{Name}` parameters, whole segments each. A template is
//! canonical by construction, so that every path it describes can be asked for.

use crate::limits::{CATALOG_ID_BYTES_MAX, PATH_SEGMENTS_MAX, URI_BYTES_MAX};

/// The parameter that holds the Account SID.
const SID_PARAMETER: &str = "AccountSID";

/// A checked path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathTemplate {
    /// The template as written.
    pub(crate) text: String,
    /// Its segments; the first is a literal.
    pub(crate) segments: Vec<TemplateSegment>,
}

/// One segment of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TemplateSegment {
    /// Stands for itself.
    Literal(String),
    /// Stands for any segment that is not empty.
    Parameter(String),
}

/// Why a text is not a path template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("a path begins with `/` and has at most {URI_BYTES_MAX} bytes and {PATH_SEGMENTS_MAX} segments")]
    Form,
    #[error("the first segment is a literal: it tells the account kinds apart")]
    FirstSegment,
    #[error("a segment is empty; only the last may be, for a trailing slash")]
    EmptySegment,
    #[error("`{0}` is not a segment: write letters, digits and -._~!$&'()*+,=:@, but no dot segment")]
    Literal(String),
    #[error("`{0}` is not a parameter: write {{Name}} as a whole segment, letters, digits and `_` only")]
    Parameter(String),
    #[error("the parameter {{{0}}} stands there twice")]
    Twice(String),
    #[error("{{{0}}} looks like {{AccountSID}}, but is written differently, so no SID would be compared")]
    SidSpelling(String),
}

impl PathTemplate {
    /// Reads a template.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let rest = text.strip_prefix('/').ok_or(TemplateError::Form)?;
        let count = rest.split('/').count();
        if text.len() > URI_BYTES_MAX || count > PATH_SEGMENTS_MAX {
            return Err(TemplateError::Form);
        }
        let mut segments = Vec::with_capacity(count);
        for (index, raw) in rest.split('/').enumerate() {
            let segment = TemplateSegment::parse(raw)?;
            match &segment {
                TemplateSegment::Parameter(_) if index == 0 => return Err(TemplateError::FirstSegment),
                TemplateSegment::Parameter(name) if segments.contains(&segment) => {
                    return Err(TemplateError::Twice(name.clone()));
                }
                TemplateSegment::Literal(literal)
                    if literal.is_empty() && (index == 0 || index + 1 < count) =>
                {
                    return Err(TemplateError::EmptySegment);
                }
                TemplateSegment::Parameter(_) | TemplateSegment::Literal(_) => {}
            }
            segments.push(segment);
        }
        Ok(Self { text: text.to_owned(), segments })
    }

    /// The first segment as paths are told apart by it: in lower case.
    pub(crate) fn base(&self) -> String {
        match self.segments.first() {
            Some(TemplateSegment::Literal(literal)) => literal.to_ascii_lowercase(),
            _ => String::new(),
        }
    }

    /// Where the Account SID stands, from 0.
    pub(crate) fn sid_index(&self) -> Option<usize> {
        self.segments
            .iter()
            .position(|segment| matches!(segment, TemplateSegment::Parameter(name) if name == SID_PARAMETER))
    }

    /// What two templates have in common when the same paths match them: parameters without their names.
    pub(crate) fn shape(&self) -> String {
        let mut shape = format!("/{}", self.base());
        for segment in self.segments.iter().skip(1) {
            shape.push('/');
            shape.push_str(match segment {
                TemplateSegment::Literal(literal) => literal,
                TemplateSegment::Parameter(_) => "{}",
            });
        }
        shape
    }
}

impl TemplateSegment {
    fn parse(raw: &str) -> Result<Self, TemplateError> {
        if raw.contains(['{', '}']) {
            let name = raw
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
                .filter(|name| is_parameter_name(name))
                .ok_or_else(|| TemplateError::Parameter(raw.to_owned()))?;
            if name != SID_PARAMETER && name.eq_ignore_ascii_case(SID_PARAMETER) {
                return Err(TemplateError::SidSpelling(name.to_owned()));
            }
            return Ok(Self::Parameter(name.to_owned()));
        }
        let plain =
            raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte));
        if !plain || matches!(raw, "." | "..") {
            return Err(TemplateError::Literal(raw.to_owned()));
        }
        Ok(Self::Literal(raw.to_owned()))
    }
}

fn is_parameter_name(name: &str) -> bool {
    name.len() <= CATALOG_ID_BYTES_MAX
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
