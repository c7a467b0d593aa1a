//! What letters say: every event in English and Chinese, as text and as HTML, from templates beside this file. Facts are
//! data wherever they stand: cleaned to one visible line, and escaped in HTML. No letter holds a secret, a picture or
//! anything that is fetched when it is read.

mod facts;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use countersign_model::event::Event;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde_json::Value as Json;

use self::words::{Language, Words};
use super::message::one_line;
use crate::{error::Error, limits::LETTER_SUBJECT_CHARS_MAX};

/// What stands in a sentence in place of a fact that is not known.
const ABSENT: &str = "—";

/// The links of a letter, complete addresses under the public URL. One may let somebody in, so they have no `Debug`.
#[derive(Clone, Default)]
pub struct Links {
    /// Where the reader can act: the token's page, or the account's.
    pub console: String,
    /// A one-time link, where the letter is the way to hand one over: it takes the place of `console`.
    pub once: Option<String>,
    /// A link that ends letters like this one.
    pub unsubscribe: Option<String>,
}

/// What a letter says, one-time links included: it has no `Debug`.
#[derive(Clone)]
pub struct Parts {
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// The form a template is rendered in; it decides the escaping.
#[derive(Debug, Clone, Copy)]
enum Form {
    Text,
    Html,
}

/// Writes the letter about an event. `language`: `zh-CN` or anything else for English. Of `facts` only what letters
/// know is read; what is absent is left out. A webhook's test is told to nobody by letter.
pub fn compose(event: Event, language: &str, facts: &Json, links: &Links) -> Result<Parts, Error> {
    let language = Language::of(language);
    let words = words::of(event, language)
        .ok_or_else(|| Error::internal("letter", &format!("{event} is told by no letter")))?;
    write(words, language, facts, links)
}

/// Writes the letter that tries a mail server.
pub fn test(language: &str, public_url: &str) -> Result<Parts, Error> {
    let language = Language::of(language);
    let links = Links { console: public_url.to_owned(), ..Links::default() };
    write(words::mail_test(language), language, &Json::Null, &links)
}

fn write(words: &'static str, language: Language, facts: &Json, links: &Links) -> Result<Parts, Error> {
    let words = Words { event: words, language };
    let data = Value::from(data(language, facts, links));
    let parts = || -> Result<Parts, minijinja::Error> {
        let (text, html) = (environment(words, Form::Text)?, environment(words, Form::Html)?);
        let html = html.get_template("letter")?.render(&data)?;
        let mut text = text.get_template("letter")?.render_captured(&data)?;
        let subject = text.with_state_mut(|state| state.render_block("subject"))?;
        Ok(Parts { subject: bounded(&one_line(&subject)), text: text.into_output(), html })
    };
    parts().map_err(|cause| Error::internal("letter", &format!("{cause:#}")))
}

/// Everything the templates may name. A name that is not here is a mistake of a template, and refused.
fn data(language: Language, facts: &Json, links: &Links) -> BTreeMap<&'static str, Value> {
    let mut data = facts::named(facts);
    data.insert("rows", Value::from(facts::rows(facts, language)));
    data.insert("paragraphs", Value::from(facts::paragraphs(facts)));
    data.insert("language", Value::from(language.tag()));
    data.insert("link", Value::from(links.once.clone().unwrap_or_else(|| links.console.clone())));
    data.insert("unsubscribe", links.unsubscribe.clone().map_or(Value::from(()), Value::from));
    data.insert("layout", Value::from("layout"));
    data.insert("base", Value::from("base"));
    data
}

/// The three templates of one letter in one form: its own words, what letters of its language share, and the layout.
fn environment(words: Words, form: Form) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(move |_| match form {
        Form::Text => AutoEscape::None,
        Form::Html => AutoEscape::Html,
    });
    environment.set_formatter(|out, state, value| match value {
        absent if absent.is_none() => out.write_str(ABSENT).map_err(Into::into),
        value => minijinja::escape_formatter(out, state, value),
    });
    let layout = match form {
        Form::Text => include_str!("letters/layout.txt"),
        Form::Html => include_str!("letters/layout.html"),
    };
    environment.add_template("layout", layout)?;
    environment.add_template("base", words.language.base())?;
    environment.add_template("letter", words.event)?;
    Ok(environment)
}

fn bounded(subject: &str) -> String {
    let subject = subject.trim();
    if subject.chars().count() <= LETTER_SUBJECT_CHARS_MAX {
        return subject.to_owned();
    }
    let front: String = subject.chars().take(LETTER_SUBJECT_CHARS_MAX - 1).collect();
    format!("{}…", front.trim_end())
}
