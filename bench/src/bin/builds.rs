//! How long an application with 1,000 migrations takes to build, and to build again.

use std::collections::BTreeSet;
use std::path::Path;

use dunlin_bench::Result;
use dunlin_bench::application::{Application, Cost, N_MIGRATIONS, Project};
use dunlin_bench::sample::{Sample, grouped, seconds};
use dunlin_bench::{packages, report};

const USAGE: &str = "\
usage: builds [--write] [--cold N] [--repetitions N] [--release] [--only NAME,...]

  --write          put the tables into RESULTS.md
  --cold           how often everything is built from nothing; 2
  --repetitions    of each build after an edit; 7
  --release        also build with --release, for the size of the binary
  --only           applications whose name contains one of these
";

/// What is built again, and after which edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rebuild {
    Code(&'static str),
    Migration(&'static str),
}

const REBUILDS: [Rebuild; 4] = [
    Rebuild::Code("build"),
    Rebuild::Migration("build"),
    Rebuild::Code("check"),
    Rebuild::Migration("check"),
];

struct Options {
    write: bool,
    n_cold: usize,
    n_repetitions: usize,
    release: bool,
    applications: Vec<Application>,
}

/// What was measured of one application.
struct Measures {
    project: Project,
    crates: BTreeSet<String>,
    cold: Costs,
    rebuilds: [Costs; REBUILDS.len()],
    debug_bytes: u64,
    release_bytes: Option<u64>,
}

#[derive(Default)]
struct Costs {
    wall: Sample,
    cpu: Sample,
}

fn main() -> Result<()> {
    let Some(options) = Options::of(std::env::args().skip(1))? else {
        eprint!("{USAGE}");
        return Ok(());
    };
    let folder = std::env::temp_dir().join(format!("dunlin-builds-{}", std::process::id()));
    let result = measure(&options, &folder);
    std::fs::remove_dir_all(&folder)?;
    let measures = result?;
    let text = [preamble()?, goals(&options, &measures), tables(&options, &measures)].join("\n");
    println!("{text}");
    if options.write {
        report::write("builds", &text)?;
    }
    Ok(())
}

impl Options {
    /// Nothing when help is wanted.
    fn of(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut options = Self {
            write: false,
            n_cold: 2,
            n_repetitions: 7,
            release: false,
            applications: Application::ALL.to_vec(),
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
            match argument.as_str() {
                "--write" => options.write = true,
                "--release" => options.release = true,
                "--cold" => options.n_cold = value()?.parse()?,
                "--repetitions" => options.n_repetitions = value()?.parse()?,
                "--only" => {
                    let wanted = value()?.to_lowercase();
                    options.applications.retain(|it| {
                        let name = it.name().to_lowercase();
                        wanted.split(',').any(|part| name.contains(part))
                    });
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(options))
    }
}

impl Costs {
    fn add(&mut self, what: &str, name: &str, cost: Cost) {
        eprintln!("{name}, {what}: {:?} CPU, {:?} by the clock", cost.cpu, cost.wall);
        self.wall.add(cost.wall);
        self.cpu.add(cost.cpu);
    }
}

fn measure(options: &Options, folder: &Path) -> Result<Vec<Measures>> {
    packages::gather(folder)?;
    let mut all = Vec::new();
    for application in &options.applications {
        let project = Project::write(folder, *application)?;
        let crates = project.crates()?;
        all.push(Measures {
            project,
            crates,
            cold: Costs::default(),
            rebuilds: Default::default(),
            debug_bytes: 0,
            release_bytes: None,
        });
    }
    for _ in 0..options.n_cold {
        for (application, it) in options.applications.iter().zip(&mut all) {
            it.project.clean()?;
            it.cold.add("from nothing", application.name(), it.project.build(&["build"])?);
            it.debug_bytes = it.project.size("debug")?;
        }
    }
    for (application, it) in options.applications.iter().zip(&all) {
        eprintln!("{}: checking from nothing", application.name());
        let _cold = it.project.build(&["check"])?;
    }
    for _ in 0..options.n_repetitions {
        for (at, rebuild) in REBUILDS.iter().enumerate() {
            for (application, it) in options.applications.iter().zip(&mut all) {
                if *application == Application::Baseline && matches!(rebuild, Rebuild::Migration(_))
                {
                    continue;
                }
                let verb = match rebuild {
                    Rebuild::Code(verb) => it.project.edit_code().map(|()| verb)?,
                    Rebuild::Migration(verb) => it.project.edit_migration().map(|()| verb)?,
                };
                let cost = it.project.build(&[verb])?;
                it.rebuilds[at].add(&format!("{rebuild:?}"), application.name(), cost);
            }
        }
    }
    for (application, it) in options.applications.iter().zip(&mut all) {
        if options.release {
            eprintln!("{}: building for release", application.name());
            let _cold = it.project.build(&["build", "--release"])?;
            it.release_bytes = Some(it.project.size("release")?);
        }
    }
    Ok(all)
}

fn preamble() -> Result<String> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    Ok(format!(
        "`cargo run --release --bin builds -- {}`, {}, 2 cores shared with other work.\n\n\
         {}, {}, {}.\n",
        arguments.join(" "),
        report::today()?,
        report::said("rustc", &["--version"])?,
        report::said("cargo", &["--version"])?,
        report::versions(&[
            "dunlin",
            "refinery",
            "sqlx",
            "diesel",
            "diesel_migrations",
            "tokio-postgres",
            "tokio",
            "deadpool-postgres",
        ]),
    ))
}

fn tables(options: &Options, all: &[Measures]) -> String {
    let baseline =
        options.applications.iter().zip(all).find(|(it, _)| **it == Application::Baseline);
    let base = baseline.map(|(_, measures)| measures.crates.clone()).unwrap_or_default();
    let head = [
        "",
        "crates beyond tokio-postgres",
        "from nothing, CPU s",
        "debug binary, KiB",
        "release binary, KiB",
    ];
    let kib = |bytes: u64| grouped((bytes / 1024) as f64);
    let rows: Vec<_> = options
        .applications
        .iter()
        .zip(all)
        .map(|(application, it)| {
            vec![
                application.name().to_owned(),
                it.crates.difference(&base).count().to_string(),
                it.cold.cpu.shown(seconds),
                kib(it.debug_bytes),
                it.release_bytes.map_or("—".to_owned(), kib),
            ]
        })
        .collect();
    let mut text =
        format!("### Building from nothing\n\n{}", report::table(&head.map(str::to_owned), &rows));
    for (title, pick) in [
        ("processor seconds", (|it: &Costs| it.cpu.shown(seconds)) as fn(&Costs) -> String),
        ("seconds by the clock", |it: &Costs| it.wall.shown(seconds)),
    ] {
        let head = [
            "",
            "`build`, code edited",
            "`build`, a migration edited",
            "`check`, code edited",
            "`check`, a migration edited",
        ];
        let row = |(application, it): (&Application, &Measures)| {
            std::iter::once(application.name().to_owned())
                .chain(it.rebuilds.iter().map(pick))
                .collect::<Vec<_>>()
        };
        let rows: Vec<_> = options.applications.iter().zip(all).map(row).collect();
        text += &format!("\n### Building again: {title}\n\n");
        text += &report::table(&head.map(str::to_owned), &rows);
    }
    text
}

fn goals(options: &Options, all: &[Measures]) -> String {
    let of = |wanted| {
        options.applications.iter().zip(all).find(|(it, _)| **it == wanted).map(|(_, it)| it)
    };
    let (Some(base), Some(dunlin)) = (of(Application::Baseline), of(Application::Dunlin)) else {
        return String::new();
    };
    let yes = |reached: bool| if reached { "yes" } else { "**no**" }.to_owned();
    let n_crates = dunlin.crates.difference(&base.crates).count();
    let mut rows = vec![vec![
        "fewer than 20 crates beyond an application that has tokio-postgres".to_owned(),
        n_crates.to_string(),
        yes(n_crates < 20),
    ]];
    let ratio_to = |peer: Application, pick: &dyn Fn(&Measures) -> &Sample| {
        of(peer).and_then(|it| pick(dunlin).relative_to(pick(it)).median())
    };
    let mut row = |goal: String, peers: &[Application], pick: &dyn Fn(&Measures) -> &Sample| {
        let ratios: Vec<_> =
            peers.iter().filter_map(|peer| Some((*peer, ratio_to(*peer, pick)?))).collect();
        let shown: Vec<_> =
            ratios.iter().map(|(peer, ratio)| format!("{ratio:.2} of {}", peer.name())).collect();
        let reached = !ratios.is_empty() && ratios.iter().all(|(_, ratio)| *ratio < 1.0);
        rows.push(vec![goal, shown.join(", "), yes(reached)]);
    };
    row(
        "from nothing: less processor time than refinery and sqlx".to_owned(),
        &[Application::Refinery, Application::Sqlx],
        &|it| &it.cold.cpu,
    );
    let peers: Vec<_> = Application::ALL.into_iter().filter(|it| it.is_peer()).collect();
    for (at, rebuild) in REBUILDS.iter().enumerate() {
        let (verb, edited) = match rebuild {
            Rebuild::Code(verb) => (verb, "the code"),
            Rebuild::Migration(verb) => (verb, "a migration"),
        };
        let goal = format!(
            "`cargo {verb}` after an edit of {edited}: faster than every peer (processor time)"
        );
        row(goal, &peers, &|it| &it.rebuilds[at].cpu);
    }
    let head = ["goal", "measured", "reached"].map(str::to_owned);
    let n = grouped(N_MIGRATIONS as f64);
    format!("### Goals, with {n} migrations\n\n{}", report::table(&head, &rows))
}
