//! The transaction of one group commit on PostgreSQL. Each write has a savepoint, so that one whose expectation does not
//! hold takes only itself back. Everything in it that needs no answer first is sent at once.

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

use super::{
    plan::{self, Covered, Plan, Verb},
    session::{Answer, Ask, Failed, Session},
    stamps::Stamps,
};
use crate::{
    Conflict, Error, Token,
    db::{sqlite::Touched, writer::same},
    feed,
    limits::PIPELINED_MAX,
    value::to_json,
    write::{Committed, Heads, Statement, Trace},
};

const SAVEPOINT: &str = "savepoint job";
const RELEASE: &str = "release savepoint job";
const TAKE_BACK: &str = "rollback to savepoint job; release savepoint job";

/// How statements are run, read once each.
#[derive(Default)]
pub(super) struct Plans {
    known: RefCell<HashMap<(&'static str, usize), Rc<Ready>>>,
}

/// A plan with its texts as they are sent.
struct Ready {
    plan: Plan,
    text: Arc<str>,
}

pub(super) struct Batch<'w> {
    pub(super) session: &'w Session,
    pub(super) plans: &'w Plans,
    pub(super) stamps: &'w mut Stamps,
    /// The ends of the chains after the writes so far; an error once the whole transaction is lost.
    pub(super) heads: Result<Heads, Error>,
    /// The transaction was given up for the sake of another one, and can be run again.
    pub(super) is_worth_another_try: bool,
}

/// A statement on its way: how many answers belong to it, and what is done with them.
struct Sent {
    ready: Rc<Ready>,
    mac: Option<[u8; 32]>,
    answers: usize,
}

impl Batch<'_> {
    /// Runs a write.
    pub(super) fn write(&mut self, rows: &[Statement], trace: &Trace) -> Result<Committed, Error> {
        let mut moved = *self.heads.as_ref().map_err(same)?;
        let committed = self.in_savepoint(|batch| {
            batch.run_all(rows)?;
            let (records, committed) = trace.statements(&mut moved, &Arc::clone(&batch.stamps.keys), |token| {
                batch.token_as_kept(token)
            })?;
            batch.run_all(&records).map(|_| committed)
        })?;
        self.heads = Ok(moved);
        Ok(committed)
    }

    /// Runs housekeeping.
    pub(super) fn quiet(&mut self, statements: &[Statement]) -> Result<Touched, Error> {
        self.in_savepoint(|batch| batch.run_all(statements))
    }

    /// What the feed says of a token as its rows are now.
    fn token_as_kept(&self, id: &str) -> Result<String, Error> {
        let rows = self.session.select(feed::ONE_TOKEN, &[id.into()], &Token::read_record)?;
        let record = feed::one_token(rows).ok_or(Error::Conflict(Conflict::Stale))?;
        Ok(to_json(&record))
    }

    /// Does all of the work or none of it.
    fn in_savepoint<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.heads.as_ref().map_err(same)?;
        let mark = self.stamps.ledger;
        let outcome = self.ask(vec![Ask::plain(SAVEPOINT)]).and_then(|_| work(self)).and_then(|answer| {
            let mut last = self.stamps.flush();
            last.push(Ask::plain(RELEASE));
            self.ask(last).map(|_| answer)
        });
        let Err(error) = &outcome else { return outcome };
        self.stamps.back_to(mark);
        if self.is_worth_another_try || self.session.is_closed() {
            self.heads = Err(same(error));
        } else if let Err(lost) = self.session.control(TAKE_BACK) {
            self.heads = Err(lost);
        }
        outcome
    }

    /// Sends statements that touch nothing covered.
    fn ask(&mut self, asks: Vec<Ask>) -> Result<Vec<Answer>, Error> {
        self.session.send(&asks).into_iter().map(|answer| self.heard(answer)).collect()
    }

    fn heard(&mut self, answer: Result<Answer, Failed>) -> Result<Answer, Error> {
        answer.map_err(|failed| {
            self.is_worth_another_try |= failed.is_worth_another_try;
            failed.meaning
        })
    }

    fn run_all(&mut self, statements: &[Statement]) -> Result<Touched, Error> {
        let mut sum = Touched::default();
        for some in statements.chunks(PIPELINED_MAX) {
            let (mut asks, mut sent) = (Vec::new(), Vec::new());
            for statement in some {
                sent.push(self.plan(statement, &mut asks)?);
            }
            let mut answers = self.session.send(&asks).into_iter();
            for (statement, sent) in some.iter().zip(sent) {
                let of_it: Result<Vec<Answer>, Error> =
                    answers.by_ref().take(sent.answers).map(|answer| self.heard(answer)).collect();
                let touched = self.take_in(statement, &sent, &of_it?)?;
                sum.rows += touched.rows;
                sum.answer = touched.answer.or(sum.answer);
            }
        }
        Ok(sum)
    }

    /// Adds what is sent for a statement.
    fn plan(&self, statement: &Statement, asks: &mut Vec<Ask>) -> Result<Sent, Error> {
        let ready = self.plans.of(statement)?;
        let Plan::Covered(covered) = &ready.plan else {
            asks.push(Ask { sql: Arc::clone(&ready.text), values: statement.values.clone() });
            return Ok(Sent { ready, mac: None, answers: 1 });
        };
        let before = asks.len();
        let parts = covered.first.iter().map(|(_, part)| part).chain(&covered.before);
        for part in parts {
            asks.push(Ask { sql: part.sql.as_str().into(), values: part.values(&statement.values) });
        }
        let mac = match &covered.verb {
            Verb::Insert(sources) => Some(self.stamps.of_new(covered.place, sources, &statement.values)),
            Verb::Update | Verb::Delete => None,
        };
        let given: Vec<_> = statement.values.iter().cloned().chain(mac.map(Into::into)).collect();
        asks.push(Ask { sql: Arc::clone(&ready.text), values: covered.main.values(&given) });
        let answers = asks.len() - before;
        Ok(Sent { ready, mac, answers })
    }

    /// What came of a statement, and what it moves.
    fn take_in(
        &mut self,
        statement: &Statement,
        sent: &Sent,
        answers: &[Answer],
    ) -> Result<Touched, Error> {
        let Some((main, others)) = answers.split_last() else { return Ok(Touched::default()) };
        let touched = main.touched(statement)?;
        let Plan::Covered(covered) = &sent.ready.plan else { return Ok(touched) };
        let Covered { first, before, .. } = covered;
        let mut others = others.iter();
        if let Some((place, _)) = first {
            self.stamps.gone(*place, others.next().map_or(&[], |gone| &gone.rows))?;
        }
        let olds = before.as_ref().and_then(|_| others.next()).map_or(&[][..], |olds| &olds.rows);
        self.stamps.moved(covered, olds, &main.rows, sent.mac)?;
        Ok(Touched { rows: touched.rows, answer: None })
    }
}

impl Plans {
    fn of(&self, statement: &Statement) -> Result<Rc<Ready>, Error> {
        let name = (statement.sql, statement.values.len());
        if let Some(known) = self.known.borrow().get(&name) {
            return Ok(Rc::clone(known));
        }
        let plan = plan::plan(statement.sql, statement.values.len())?;
        let text = match &plan {
            Plan::Plain => statement.sql.into(),
            Plan::Covered(covered) => covered.main.sql.as_str().into(),
        };
        let ready = Rc::new(Ready { plan, text });
        self.known.borrow_mut().insert(name, Rc::clone(&ready));
        Ok(ready)
    }
}
