//! The transaction of one group commit on PostgreSQL. Each write has a savepoint, so that one whose expectation does not
//! hold takes only itself back. Everything that needs no answer first is sent at once, also the rows of many writes: most
//! come out as expected, and behind one that does not, the others are sent again.

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

type Answers = std::vec::IntoIter<Result<Answer, Failed>>;

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

/// The statements of a job, and for a write what it leaves behind.
#[derive(Clone, Copy)]
pub(super) struct Work<'j> {
    pub(super) rows: &'j [Statement],
    pub(super) trace: Option<&'j Trace>,
}

/// What came of a job, if the transaction is committed.
pub(super) enum Ran {
    Write(Result<Committed, Error>),
    Quiet(Result<Touched, Error>),
}

/// What came of the rows of a job, before its changes have their numbers.
struct Rows {
    touched: Touched,
    /// What the feed says of tokens as they are now, by their id.
    kept: HashMap<String, String>,
}

impl Work<'_> {
    fn failed(self, error: Error) -> Ran {
        if self.trace.is_some() { Ran::Write(Err(error)) } else { Ran::Quiet(Err(error)) }
    }
}

impl Batch<'_> {
    /// Runs jobs, as many together as it takes until one does not come out as expected.
    pub(super) fn run(&mut self, jobs: &[Work<'_>], ran: &mut Vec<Ran>) {
        let mut width = jobs.len();
        while ran.len() < jobs.len() {
            let rest = &jobs[ran.len()..];
            if let Err(lost) = &self.heads {
                ran.push(rest[0].failed(same(lost)));
                continue;
            }
            let mut statements = 0;
            let fits = rest.iter().take(width).take_while(|job| {
                statements += job.rows.len();
                statements <= PIPELINED_MAX
            });
            let count = fits.count().max(1);
            let before = ran.len();
            let outcome = self.together(&rest[..count], ran);
            let settled = ran.len() - before;
            // After one that failed, fewer are sent on the chance that they all fit.
            width = if settled == count { width.saturating_mul(2) } else { (settled / 2).max(1) };
            if let Err(lost) = outcome {
                self.heads = Err(lost);
            }
        }
    }

    /// Sends these jobs at once. Answers for those up to the first that failed; the others are taken back and left. An
    /// error means that the whole transaction is lost.
    fn together(&mut self, jobs: &[Work<'_>], ran: &mut Vec<Ran>) -> Result<(), Error> {
        let start = self.stamps.mark();
        let (rows, failed) = match jobs {
            [one] => self.alone(*one),
            many => self.pipelined(many),
        };
        let failed = match failed {
            Some(error) if self.is_worth_another_try || self.session.is_closed() => return Err(error),
            Some(error) => {
                let place = rows.len();
                let back = self.session.control(&format!("rollback to savepoint job{place}"));
                back.map_err(|_| same(&error))?;
                Some(jobs[place].failed(error))
            }
            None => None,
        };
        match self.trace(jobs, &rows) {
            Ok(done) => {
                ran.extend(done);
                ran.extend(failed);
                Ok(())
            }
            Err(error) if self.is_worth_another_try || self.session.is_closed() => Err(error),
            Err(error) => {
                self.session.control("rollback to savepoint job0").map_err(|_| same(&error))?;
                self.stamps.rolled_back_to(&start);
                // Which of many it was is seen when they are run one by one.
                if let [one] = jobs {
                    ran.push(one.failed(error));
                }
                Ok(())
            }
        }
    }

    /// One job, in parts where it has many statements.
    fn alone(&mut self, job: Work<'_>) -> (Vec<Rows>, Option<Error>) {
        let mark = self.stamps.mark();
        let done = self.ask(&[savepoint(0)]).and_then(|()| {
            let mut touched = Touched::default();
            for some in job.rows.chunks(PIPELINED_MAX) {
                let (mut asks, mut sent) = (Vec::new(), Vec::new());
                for statement in some {
                    sent.push(self.plan(statement, &mut asks)?);
                }
                let mut answers = self.session.send(&asks).into_iter();
                self.take_all_in(some, &sent, &mut answers, &mut touched)?;
            }
            let asks: Vec<Ask> = kept(job).collect();
            let mut answers = self.session.send(&asks).into_iter();
            Ok(Rows { touched, kept: self.take_kept_in(job, &mut answers)? })
        });
        match done {
            Ok(rows) => (vec![rows], None),
            Err(error) => {
                self.stamps.back_to(&mark);
                (Vec::new(), Some(error))
            }
        }
    }

    /// Many jobs, each behind a savepoint, all sent before the first is answered.
    fn pipelined(&mut self, jobs: &[Work<'_>]) -> (Vec<Rows>, Option<Error>) {
        let (mut asks, mut sent) = (Vec::new(), Vec::new());
        for (place, job) in jobs.iter().enumerate() {
            asks.push(savepoint(place));
            let planned: Result<Vec<Sent>, Error> =
                job.rows.iter().map(|statement| self.plan(statement, &mut asks)).collect();
            match planned {
                Ok(planned) => sent.push(planned),
                Err(error) => return (Vec::new(), Some(error)),
            }
            asks.extend(kept(*job));
        }
        let mut answers = self.session.send(&asks).into_iter();
        let mut rows = Vec::with_capacity(jobs.len());
        for (job, sent) in jobs.iter().zip(&sent) {
            let mark = self.stamps.mark();
            match self.take_job_in(*job, sent, &mut answers) {
                Ok(done) => rows.push(done),
                Err(error) => {
                    self.stamps.back_to(&mark);
                    return (rows, Some(error));
                }
            }
        }
        (rows, None)
    }

    fn take_job_in(&mut self, job: Work<'_>, sent: &[Sent], answers: &mut Answers) -> Result<Rows, Error> {
        let behind = answers.next().ok_or(Error::Busy)?;
        self.heard(behind)?;
        let mut touched = Touched::default();
        self.take_all_in(job.rows, sent, answers, &mut touched)?;
        Ok(Rows { touched, kept: self.take_kept_in(job, answers)? })
    }

    /// Numbers the changes of these jobs, writes them and their audit entries, and the MACs of the rows they changed.
    fn trace(&mut self, jobs: &[Work<'_>], rows: &[Rows]) -> Result<Vec<Ran>, Error> {
        let mut moved = *self.heads.as_ref().map_err(same)?;
        let (mut asks, mut ran) = (Vec::new(), Vec::with_capacity(rows.len()));
        for (job, rows) in jobs.iter().zip(rows) {
            let Some(trace) = job.trace else {
                ran.push(Ran::Quiet(Ok(rows.touched)));
                continue;
            };
            let as_kept = |token: &str| rows.kept.get(token).cloned().ok_or(Error::Conflict(Conflict::Stale));
            let (statements, committed) = trace.statements(&mut moved, &self.stamps.keys, as_kept)?;
            asks.extend(
                statements
                    .into_iter()
                    .map(|statement| Ask { sql: statement.sql.into(), values: statement.values }),
            );
            ran.push(Ran::Write(Ok(committed)));
        }
        asks.extend(self.stamps.flush());
        asks.push(Ask::plain("release savepoint job0"));
        self.ask(&asks)?;
        self.heads = Ok(moved);
        Ok(ran)
    }

    /// Sends statements that touch nothing covered.
    fn ask(&mut self, asks: &[Ask]) -> Result<(), Error> {
        for some in asks.chunks(PIPELINED_MAX) {
            for answer in self.session.send(some) {
                self.heard(answer)?;
            }
        }
        Ok(())
    }

    fn heard(&mut self, answer: Result<Answer, Failed>) -> Result<Answer, Error> {
        answer.map_err(|failed| {
            self.is_worth_another_try |= failed.is_worth_another_try;
            failed.meaning
        })
    }

    fn take_all_in(
        &mut self,
        statements: &[Statement],
        sent: &[Sent],
        answers: &mut Answers,
        sum: &mut Touched,
    ) -> Result<(), Error> {
        for (statement, sent) in statements.iter().zip(sent) {
            let of_it: Result<Vec<Answer>, Error> =
                answers.by_ref().take(sent.answers).map(|answer| self.heard(answer)).collect();
            let touched = self.take_in(statement, sent, &of_it?)?;
            sum.rows += touched.rows;
            sum.answer = touched.answer.or(sum.answer);
        }
        Ok(())
    }

    fn take_kept_in(
        &mut self,
        job: Work<'_>,
        answers: &mut Answers,
    ) -> Result<HashMap<String, String>, Error> {
        let tokens = job.trace.into_iter().flat_map(Trace::as_kept);
        tokens
            .map(|token| {
                let answer = answers.next().ok_or(Error::Busy)?;
                let rows = self.heard(answer)?.read(Token::read_record)?;
                let record = feed::one_token(rows).ok_or(Error::Conflict(Conflict::Stale))?;
                Ok((token.to_owned(), to_json(&record)))
            })
            .collect()
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
    fn take_in(&mut self, statement: &Statement, sent: &Sent, answers: &[Answer]) -> Result<Touched, Error> {
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

fn savepoint(place: usize) -> Ask {
    Ask { sql: format!("savepoint job{place}").into(), values: Vec::new() }
}

/// What asks for tokens as they are after a write.
fn kept(job: Work<'_>) -> impl Iterator<Item = Ask> {
    let tokens = job.trace.into_iter().flat_map(Trace::as_kept);
    tokens.map(|token| Ask { sql: feed::ONE_TOKEN.into(), values: vec![token.into()] })
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
