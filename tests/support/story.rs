//! A history of migrations whose every statement leaves a trace, so that whoever looks afterwards can
//! tell how often each of them took effect, without believing the history table.

use std::collections::HashMap;

use dunlin::{Database, Error, Migrator, Registry, Report};
use tokio_postgres::Client;

use crate::registry::registry;

/// One statement and how its effect is counted.
#[derive(Clone, Copy, Debug)]
pub struct Deed {
    /// The statement.
    pub sql: &'static str,
    /// An expression: how often it has taken effect.
    pub count: &'static str,
    /// Whether a run that was cut off in it can tell from the catalogs whether it took effect.
    pub is_evident: bool,
}

/// One migration of a story.
#[derive(Clone, Copy, Debug)]
pub struct Chapter {
    /// Its name.
    pub name: &'static str,
    /// Whether it is one transaction.
    pub is_whole: bool,
    /// What it does.
    pub up: &'static [Deed],
    /// What its undo does; none if there is no undo.
    pub down: &'static [Deed],
}

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Everything is applied.
    Apply,
    /// Everything is undone.
    RollBack,
}

/// What was seen wrong; a sweep's figures are sums of these.
#[derive(Clone, Copy, Debug, Default)]
pub struct Harm {
    /// Statements that the history says are done, or a run said are done, and are not.
    pub n_lost: usize,
    /// Statements that took effect more than once.
    pub n_twice: usize,
}

/// A story and the table that counts.
#[derive(Clone, Copy, Debug)]
pub struct Story(pub &'static [Chapter]);

/// Where the traces are counted that a catalog does not keep.
pub const TALLY: &str = "CREATE TABLE tally (what text NOT NULL)";

impl Story {
    /// The registry of the first chapters.
    pub fn registry(self, n: usize) -> Registry {
        let files = self.files(n);
        let files: Vec<_> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
        registry(&files)
    }

    /// The files of the first chapters.
    pub fn files(self, n: usize) -> Vec<(String, String)> {
        let mut files = Vec::new();
        for chapter in &self.0[..n] {
            for (deeds, suffix) in [(chapter.up, "sql"), (chapter.down, "down.sql")] {
                if !deeds.is_empty() {
                    let text = text(chapter, deeds);
                    files.push((format!("{}.{suffix}", chapter.name), text));
                }
            }
        }
        files
    }

    /// Runs the verb.
    ///
    /// # Errors
    ///
    /// Those of the verb.
    pub async fn run(
        self,
        verb: Verb,
        registry: &Registry,
        database: impl Database,
    ) -> Result<Report, Error> {
        let migrator = Migrator::new(registry);
        match verb {
            Verb::Apply => migrator.apply(database).await,
            Verb::RollBack => migrator.roll_back(database, self.0.len()).await,
        }
    }

    /// History and traces must agree, whatever has happened. `said` is what a run reported as done.
    pub async fn look(self, verb: Verb, onlooker: &Client, said: &[String]) -> Harm {
        let (rows, counts) = (rows(onlooker).await, self.counts(verb, onlooker).await);
        let mut harm = Harm::default();
        for chapter in self.0 {
            let deeds = chapter.deeds(verb);
            let counts = &counts[chapter.name];
            let row = rows.get(chapter.name).copied();
            harm.n_twice += counts.iter().filter(|&&count| count > 1).count();
            let is_said = said.iter().any(|name| name == chapter.name);
            // From, to: which statements must be done, and from where on none may be.
            let (n_done, n_begun) = match (verb, row) {
                (Verb::Apply, None) => (0, 0),
                (Verb::Apply, Some(Row { progress: Some((done, begun)) })) => (done, begun),
                (Verb::Apply, Some(Row { progress: None })) | (Verb::RollBack, None) => {
                    (deeds.len(), deeds.len())
                }
                (Verb::RollBack, Some(_)) if chapter.is_whole => (0, 0),
                (Verb::RollBack, Some(_)) => (0, deeds.len()),
            };
            assert!(!is_said || n_done == deeds.len(), "{} was said to be done", chapter.name);
            harm.n_lost += counts[..n_done].iter().filter(|&&count| count < 1).count();
            let too_early = counts[n_begun..].iter().filter(|&&count| count > 0).count();
            assert_eq!(
                too_early, 0,
                "{}: done, and not recorded: {counts:?}, {row:?}",
                chapter.name
            );
        }
        harm
    }

    /// Runs until nothing is left, as a person would who does what the errors say. Gives how often a
    /// way on had to be chosen.
    pub async fn complete(self, verb: Verb, registry: &Registry, client: &mut Client) -> usize {
        let mut n_chosen = 0;
        loop {
            let error = match self.run(verb, registry, &mut *client).await {
                Ok(_) => return n_chosen,
                Err(error) => format!("{error:#}"),
            };
            let chapter = self.0.iter().find(|it| error.contains(&format!("`{}`", it.name)));
            let (Some(chapter), Some(number)) = (chapter, cut_off_in(&error)) else {
                panic!("{error}")
            };
            let deed = chapter.deeds(verb)[number - 1];
            assert!(!deed.is_evident, "{error}");
            let counts = self.counts(verb, client).await;
            let took_effect = counts[chapter.name][number - 1] > 0;
            let way = if took_effect { "If it took effect: " } else { "if it did not: " };
            let sql = error.split_once(way).and_then(|(_, rest)| rest.split_once(';')).unwrap().0;
            client.batch_execute(sql).await.unwrap();
            n_chosen += 1;
            assert!(n_chosen < 10, "{error}");
        }
    }

    /// Everything is as after a run that nothing has disturbed.
    pub async fn is_complete(self, verb: Verb, onlooker: &Client) -> Harm {
        let rows = rows(onlooker).await;
        let harm = self.look(verb, onlooker, &[]).await;
        for chapter in self.0 {
            let is_there = rows.contains_key(chapter.name);
            assert_eq!(is_there, verb == Verb::Apply, "{}: {rows:?}", chapter.name);
            let progress = rows.get(chapter.name).and_then(|row| row.progress);
            let n = chapter.up.len();
            assert!(progress.is_none_or(|it| it == (n, n)), "{}: {progress:?}", chapter.name);
        }
        let rest = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
        let n_invalid: i64 = onlooker.query_one(rest, &[]).await.unwrap().get(0);
        assert_eq!(n_invalid, 0);
        harm
    }

    /// How often each statement has taken effect.
    async fn counts(self, verb: Verb, onlooker: &Client) -> HashMap<&'static str, Vec<i64>> {
        let deeds: Vec<_> = self
            .0
            .iter()
            .flat_map(|chapter| chapter.deeds(verb).iter().map(|deed| (chapter.name, deed.count)))
            .collect();
        let columns: Vec<_> = deeds.iter().map(|(_, count)| format!("({count})::bigint")).collect();
        let question = format!("SELECT {}", columns.join(", "));
        let row = onlooker.query_one(&question, &[]).await;
        let row = row.unwrap_or_else(|error| panic!("{question}: {error:?}"));
        let mut counts: HashMap<_, Vec<i64>> =
            self.0.iter().map(|chapter| (chapter.name, Vec::new())).collect();
        for (at, (name, _)) in deeds.iter().enumerate() {
            counts.get_mut(name).unwrap().push(row.get(at));
        }
        counts
    }
}

impl Chapter {
    const fn deeds(&self, verb: Verb) -> &'static [Deed] {
        match verb {
            Verb::Apply => self.up,
            Verb::RollBack => self.down,
        }
    }
}

fn text(chapter: &Chapter, deeds: &[Deed]) -> String {
    let head = if chapter.is_whole { "" } else { "-- dunlin: no-transaction\n" };
    let statements: String = deeds.iter().map(|deed| format!("{};\n", deed.sql)).collect();
    format!("{head}{statements}")
}

/// The number of the statement that an error says a migration was cut off in.
fn cut_off_in(error: &str) -> Option<usize> {
    let (_, rest) = error.split_once("was cut off in statement ")?;
    rest.split_once(' ')?.0.parse().ok()
}

/// A row of the history table.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Statements done and begun, for a file without a transaction.
    progress: Option<(usize, usize)>,
}

async fn rows(onlooker: &Client) -> HashMap<String, Row> {
    let exists = "SELECT to_regclass('public.migrations') IS NOT NULL";
    if !onlooker.query_one(exists, &[]).await.unwrap().get::<_, bool>(0) {
        return HashMap::new();
    }
    let question = "SELECT name, statements_done, statements_begun FROM public.migrations";
    let rows = onlooker.query(question, &[]).await.unwrap();
    let number = |number: i32| usize::try_from(number).unwrap();
    rows.iter()
        .map(|row| {
            let (done, begun): (Option<i32>, Option<i32>) = (row.get(1), row.get(2));
            let progress = done.zip(begun).map(|(done, begun)| (number(done), number(begun)));
            (row.get(0), Row { progress })
        })
        .collect()
}
