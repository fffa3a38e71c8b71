//! How long a start takes: fresh and with nothing to do, near and far.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dunlin_bench::Result;
use dunlin_bench::contender::{Contender, Files};
use dunlin_bench::migrations::SIZES;
use dunlin_bench::proxy::Proxy;
use dunlin_bench::report;
use dunlin_bench::sample::{Sample, grouped, ms, seconds};
use dunlin_bench::server::{Address, Measured, connect};
use dunlin_bench::wire::Counts;
use nix::sys::resource::{UsageWho, getrusage};

/// What the networks add to a round trip, in milliseconds; nothing is the unix socket itself.
const NETWORKS: [Option<u64>; 5] = [None, Some(0), Some(1), Some(5), Some(20)];

const USAGE: &str = "\
usage: run [--write] [--only NAME,...] [--sizes N,...] [--near] [--repetitions N] [--patience S]

  --write          put the tables into RESULTS.md
  --only           contenders whose name contains one of these
  --sizes          14, 100, 1000
  --near           only the unix socket and the proxy without delay
  --repetitions    of what is measured more than once; 7
  --patience       leaves out who waits longer than so many seconds for the network
";

/// What is asked for.
struct Options {
    write: bool,
    contenders: Vec<Contender>,
    sizes: Vec<usize>,
    networks: Vec<Option<u64>>,
    n_repetitions: usize,
    patience_seconds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Start {
    Fresh,
    NothingToDo,
}

/// What one row and one column of a table stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Case {
    start: Start,
    contender: Contender,
    n: usize,
    network: Option<u64>,
}

/// What was measured of it.
#[derive(Clone, Debug, Default)]
struct Measures {
    wall: Sample,
    server_cpu: Sample,
    client_cpu: Sample,
    counts: Option<Counts>,
}

struct Benchmark {
    options: Options,
    server: Measured,
    files: Files,
    proxies: BTreeMap<u64, Proxy>,
    measures: Vec<(Case, Measures)>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Some(options) = Options::of(std::env::args().skip(1))? else {
        eprint!("{USAGE}");
        return Ok(());
    };
    let server = Measured::start()?;
    let folder = std::env::temp_dir().join(format!("dunlin-bench-{}", std::process::id()));
    let files = Files::write(&folder)?;
    let mut proxies = BTreeMap::new();
    for delay in options.networks.iter().flatten() {
        let proxy = Proxy::start(&server.socket(), Duration::from_millis(*delay))?;
        let _none = proxies.insert(*delay, proxy);
    }
    let mut benchmark = Benchmark { options, server, files, proxies, measures: Vec::new() };
    let result = benchmark.run().await;
    std::fs::remove_dir_all(&folder)?;
    let text = result?;
    println!("{text}");
    if benchmark.options.write {
        report::write("run", &text)?;
    }
    Ok(())
}

impl Options {
    /// Nothing when help is wanted.
    fn of(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut options = Self {
            write: false,
            contenders: Contender::ALL.to_vec(),
            sizes: SIZES.to_vec(),
            networks: NETWORKS.to_vec(),
            n_repetitions: 7,
            patience_seconds: u64::MAX,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
            match argument.as_str() {
                "--write" => options.write = true,
                "--near" => options.networks.retain(|network| network.unwrap_or(0) == 0),
                "--only" => {
                    let wanted = value()?.to_lowercase();
                    options.contenders.retain(|it| {
                        let name = it.name().to_lowercase();
                        wanted.split(',').any(|part| name.contains(part))
                    });
                }
                "--sizes" => {
                    let wanted = value()?;
                    options.sizes.retain(|n| wanted.split(',').any(|it| it == n.to_string()));
                }
                "--repetitions" => options.n_repetitions = value()?.parse()?,
                "--patience" => options.patience_seconds = value()?.parse()?,
                _ => return Ok(None),
            }
        }
        Ok(Some(options))
    }
}

impl Benchmark {
    async fn run(&mut self) -> Result<String> {
        let added = self.calibrate().await?;
        self.fresh().await?;
        self.nothing_to_do().await?;
        Ok([self.preamble(&added)?, self.goals(), self.tables()].join("\n"))
    }

    /// How long a question without work takes on each network.
    async fn calibrate(&self) -> Result<Vec<String>> {
        let mut shown = Vec::new();
        for network in self.options.networks.clone() {
            let client = connect(&self.address(network, "postgres")).await?;
            let mut sample = Sample::default();
            for _ in 0..40 {
                let begun = Instant::now();
                client.batch_execute("").await?;
                sample.add(begun.elapsed());
            }
            shown.push(format!(
                "{} {} ms",
                network_name(network),
                ms(sample.median().unwrap_or_default())
            ));
        }
        Ok(shown)
    }

    async fn fresh(&mut self) -> Result<()> {
        let mut used = Vec::new();
        for repetition in 0..self.options.n_repetitions {
            for n in self.options.sizes.clone() {
                for contender in rotated(&self.options.contenders, repetition) {
                    for network in rotated(&self.options.networks, repetition) {
                        let case = Case { start: Start::Fresh, contender, n, network };
                        if repetition < self.n_repetitions(case) {
                            used.push(format!("fresh_{}", used.len()));
                            self.measure_fresh(case, &used[used.len() - 1]).await?;
                        }
                    }
                }
                self.server.drop(&used).await?;
                used.clear();
            }
        }
        Ok(())
    }

    async fn measure_fresh(&mut self, case: Case, database: &str) -> Result<()> {
        self.server.create(database).await?;
        self.measure(case, database).await?;
        let n_done = self.server.n_done(database).await?;
        if n_done == case.n { Ok(()) } else { Err(format!("{case:?}: {n_done} are done").into()) }
    }

    async fn nothing_to_do(&mut self) -> Result<()> {
        let contenders: Vec<_> =
            self.options.contenders.iter().copied().filter(|it| it.keeps_history()).collect();
        for n in self.options.sizes.clone() {
            for (index, contender) in contenders.iter().enumerate() {
                let database = format!("full_{index}");
                self.server.create(&database).await?;
                let connection = contender.connect(&self.server.direct(&database)).await?;
                drop(contender.run(connection, n, &self.files).await?);
            }
            let databases: Vec<_> = (0..contenders.len()).map(|it| format!("full_{it}")).collect();
            // Short and cheap, so more often.
            for repetition in 0..2 * self.options.n_repetitions + 1 {
                for (index, contender) in rotated(&contenders, repetition).into_iter().enumerate() {
                    let index = (index + repetition) % contenders.len();
                    for network in self.options.networks.clone() {
                        let case = Case { start: Start::NothingToDo, contender, n, network };
                        self.measure(case, &databases[index]).await?;
                    }
                }
            }
            self.server.drop(&databases).await?;
        }
        Ok(())
    }

    /// Those that wait for each migration take minutes on a slow network, and always the same.
    fn n_repetitions(&self, case: Case) -> usize {
        let delay = case.network.unwrap_or(0);
        let n_waits = if case.contender.waits_for_each() { 5 * case.n } else { 0 };
        let seconds_waited = n_waits as u64 * delay / 1_000;
        match seconds_waited {
            _ if seconds_waited > self.options.patience_seconds => 0,
            0..2 => self.options.n_repetitions,
            2..9 => self.options.n_repetitions.min(3),
            _ => 1,
        }
    }

    async fn measure(&mut self, case: Case, database: &str) -> Result<()> {
        let address = self.address(case.network, database);
        let Case { contender, n, network, .. } = case;
        let connection = contender.connect(&address).await?;
        let counts = || network.map(|delay| self.proxies[&delay].counts());
        let (counts_before, server_before) = (counts(), self.server.cpu()?);
        let (client_before, begun) = (client_cpu()?, Instant::now());
        let connection = contender.run(connection, n, &self.files).await?;
        let wall = begun.elapsed();
        let (client, server) = (client_cpu()?, self.server.cpu()?);
        let counts = counts().zip(counts_before).map(|(now, before)| now.since(before));
        drop(connection);
        eprintln!("{:?} {n} {} {}: {wall:?}", case.start, contender.name(), network_name(network));
        let at = self.measures.iter().position(|(it, _)| *it == case).unwrap_or_else(|| {
            self.measures.push((case, Measures::default()));
            self.measures.len() - 1
        });
        let measures = &mut self.measures[at].1;
        measures.wall.add(wall);
        measures.server_cpu.add(server.saturating_sub(server_before));
        measures.client_cpu.add(client.saturating_sub(client_before));
        measures.counts = counts.or(measures.counts);
        Ok(())
    }

    fn address(&self, network: Option<u64>, database: &str) -> Address {
        let direct = self.server.direct(database);
        match network {
            None => direct,
            Some(delay) => Address {
                host: "127.0.0.1".to_owned(),
                port: self.proxies[&delay].port(),
                ..direct
            },
        }
    }

    fn of(&self, start: Start, contender: Contender, n: usize, network: Option<u64>) -> Measures {
        let case = Case { start, contender, n, network };
        let found = self.measures.iter().find(|(it, _)| *it == case);
        found.map(|(_, measures)| measures.clone()).unwrap_or_default()
    }

    fn preamble(&self, added: &[String]) -> Result<String> {
        let arguments: Vec<_> = std::env::args().skip(1).collect();
        Ok(format!(
            "`cargo run --release --bin run -- {}`, {}, 2 cores shared with other work.\n\n\
             PostgreSQL {} ({}), {}, {}, {}.\n\n\
             A round trip without work: {}.\n",
            arguments.join(" "),
            report::today()?,
            self.server.version(),
            Measured::settings(),
            report::said("psql", &["--version"])?,
            report::said("rustc", &["--version"])?,
            report::versions(&[
                "dunlin",
                "refinery",
                "sqlx",
                "diesel_migrations",
                "tokio-postgres",
            ]),
            added.join(", "),
        ))
    }

    fn tables(&self) -> String {
        let mut text = String::new();
        for (start, title) in
            [(Start::Fresh, "fresh database"), (Start::NothingToDo, "nothing to do")]
        {
            for n in &self.options.sizes {
                let unit = if start == Start::Fresh { "seconds" } else { "milliseconds" };
                text += &format!("\n### {} migrations, {title}: {unit}\n\n", grouped(*n as f64));
                text += &self.times(start, *n);
                text += &format!("\n### {} migrations, {title}: counts\n\n", grouped(*n as f64));
                text += &self.counts(start, *n);
            }
        }
        text
    }

    fn times(&self, start: Start, n: usize) -> String {
        let head = std::iter::once(String::new())
            .chain(self.options.networks.iter().map(|network| network_name(*network)))
            .collect::<Vec<_>>();
        let written = if start == Start::Fresh { seconds } else { ms };
        let row = |contender: &Contender| {
            let cell = |network| self.of(start, *contender, n, network).wall.shown(written);
            std::iter::once(contender.name().to_owned())
                .chain(self.options.networks.iter().map(|network| cell(*network)))
                .collect::<Vec<_>>()
        };
        let shown = |it: &&Contender| start == Start::Fresh || it.keeps_history();
        let rows: Vec<_> = self.options.contenders.iter().filter(shown).map(row).collect();
        report::table(&head, &rows)
    }

    fn counts(&self, start: Start, n: usize) -> String {
        let head = [
            "",
            "sessions",
            "round trips",
            "messages",
            "statements",
            "bytes up",
            "bytes down",
            "server CPU ms",
            "client CPU ms",
        ];
        let row = |contender: &Contender| {
            let networks = self.options.networks.iter().flatten();
            let counts = networks
                .filter_map(|delay| self.of(start, *contender, n, Some(*delay)).counts)
                .next();
            let counts = counts.unwrap_or_default();
            let near = self.of(start, *contender, n, None);
            let number = |count: u64| grouped(count as f64);
            let median = |sample: &Sample| sample.median().map_or("—".to_owned(), ms);
            let n_sessions = if contender.keeps_history() { 1 } else { counts.sessions };
            vec![
                contender.name().to_owned(),
                number(n_sessions),
                number(counts.round_trips),
                number(counts.messages),
                number(counts.statements),
                number(counts.bytes_up),
                number(counts.bytes_down),
                median(&near.server_cpu),
                median(&near.client_cpu),
            ]
        };
        let shown = |it: &&Contender| start == Start::Fresh || it.keeps_history();
        let rows: Vec<_> = self.options.contenders.iter().filter(shown).map(row).collect();
        report::table(&head.map(str::to_owned), &rows)
    }

    fn goals(&self) -> String {
        let n = SIZES[2];
        let wall = |contender, network| self.of(Start::Fresh, contender, n, network).wall;
        let peers = || self.options.contenders.iter().copied().filter(|it| it.is_peer());
        let (own, by_hand) = (wall(Contender::Dunlin, None), wall(Contender::ByHand, None));
        let times = |value: f64| format!("{value:.2}");
        let yes = |reached: bool| if reached { "yes" } else { "**no**" }.to_owned();
        let mut rows = Vec::new();
        let mut row = |goal: &str, found: String, reached: bool| {
            rows.push(vec![goal.to_owned(), found, yes(reached)]);
        };
        let fastest = peers().min_by(|a, b| {
            let median = |it| wall(it, None).median().unwrap_or(f64::MAX);
            median(*a).total_cmp(&median(*b))
        });
        if let Some(fastest) = fastest {
            let ratio = own.relative_to(&wall(fastest, None));
            row(
                "1,000 fresh on the unix socket: no slower than the fastest peer",
                format!("{} of {}", ratio.shown(times), fastest.name()),
                ratio.median().is_some_and(|it| it <= 1.0),
            );
        }
        let ratio = own.relative_to(&by_hand);
        row(
            "… and at most 1.10 of the same statements pipelined by hand",
            ratio.shown(times),
            ratio.median().is_some_and(|it| it <= 1.1),
        );
        for delay in [5, 20] {
            let ratio = wall(Contender::Dunlin, Some(delay)).relative_to(&own);
            row(
                &format!(
                    "1,000 fresh at {delay} ms: at most 1.15 of its own time on the unix socket"
                ),
                ratio.shown(times),
                ratio.median().is_some_and(|it| it <= 1.15),
            );
        }
        let idle = |contender, n, network| self.of(Start::NothingToDo, contender, n, network);
        let trips: Vec<_> = self
            .options
            .sizes
            .iter()
            .filter_map(|n| idle(Contender::Dunlin, *n, Some(0)).counts)
            .map(|counts| counts.round_trips)
            .collect();
        row(
            "nothing to do: 1 round trip",
            format!("{trips:?}"),
            !trips.is_empty() && trips.iter().all(|it| *it == 1),
        );
        let closest = self
            .options
            .sizes
            .iter()
            .flat_map(|n| self.options.networks.iter().map(move |network| (*n, *network)))
            .flat_map(|(n, network)| peers().map(move |peer| (n, network, peer)))
            .filter_map(|(n, network, peer)| {
                let own = idle(Contender::Dunlin, n, network).wall;
                let ratio = own.relative_to(&idle(peer, n, network).wall).median()?;
                Some((ratio, n, network, peer))
            })
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((ratio, n, network, peer)) = closest {
            row(
                "… and faster than every peer at every delay",
                format!(
                    "closest: {ratio:.2} of {} ({n} migrations, {})",
                    peer.name(),
                    network_name(network)
                ),
                ratio < 1.0,
            );
        }
        let head = ["goal", "measured", "reached"].map(str::to_owned);
        format!("### Goals\n\n{}", report::table(&head, &rows))
    }
}

fn network_name(network: Option<u64>) -> String {
    match network {
        None => "unix socket".to_owned(),
        Some(0) => "proxy, +0 ms".to_owned(),
        Some(delay) => format!("+{delay} ms"),
    }
}

/// The processor time of this process and of the children it has waited for.
fn client_cpu() -> Result<Duration> {
    let mut total = Duration::ZERO;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage = getrusage(who)?;
        for time in [usage.user_time(), usage.system_time()] {
            let microseconds = time.tv_sec() * 1_000_000 + time.tv_usec();
            total += Duration::from_micros(u64::try_from(microseconds)?);
        }
    }
    Ok(total)
}

/// The same in another order in each repetition, so that nobody is always the first.
fn rotated<T: Copy>(all: &[T], by: usize) -> Vec<T> {
    let mut all = all.to_vec();
    if !all.is_empty() {
        let by = by % all.len();
        all.rotate_left(by);
    }
    all
}
