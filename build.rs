//! Bundles the web pages from their npm packages into `OUT_DIR`, compressed, to be embedded: GraphiQL and the task
//! application. Where npm is missing, offline or told off (`TASKQL_WEB=off`), the build goes on with one warning;
//! GraphiQL then loads the same versions from a CDN, and there is no application. Nothing is written outside of `OUT_DIR`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;

/// A page that is bundled.
struct Page {
    /// Its folder under `web`, and in `OUT_DIR`.
    name: &'static str,
    /// What the bundle is made of, files and folders. Cargo runs this again when one of them changes, and not otherwise.
    sources: &'static [&'static str],
    /// Where the bundle begins.
    entry: &'static str,
    /// The name of the bundle's script and style.
    bundle: &'static str,
}

const PAGES: [Page; 2] = [
    Page {
        name: "graphiql",
        sources: &["bundle.js", "libraries.js", "package-lock.json", "package.json", "page.js"],
        entry: "bundle.js",
        bundle: "bundle",
    },
    Page {
        name: "app",
        sources: &["package-lock.json", "package.json", "src", "tsconfig.json"],
        entry: "src/main.tsx",
        bundle: "app",
    },
];
/// What a bundle is, with the types that it is served as.
const KINDS: [(&str, &str); 2] = [("js", "text/javascript; charset=utf-8"), ("css", "text/css; charset=utf-8")];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=TASKQL_WEB");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut failure = None;
    for page in &PAGES {
        for source in page.sources {
            println!("cargo::rerun-if-changed={}", page.folder().join(source).display());
        }
        let bundled = page.bundle(&out.join(page.name));
        fs::write(out.join(format!("{}.rs", page.name)), page.table(bundled.is_ok())).expect("OUT_DIR can be written");
        failure = failure.or(bundled.err());
    }
    if let Some(reason) = failure {
        println!(
            "cargo::warning=The web pages are not bundled: {reason}. GraphiQL will load from a CDN, and there is no /app. TASKQL_WEB=off says so without trying."
        );
        // npm may turn up later.
        println!("cargo::rerun-if-env-changed=PATH");
    }
}

impl Page {
    fn folder(&self) -> PathBuf {
        Path::new("web").join(self.name)
    }

    /// Installs the packages and bundles the page, in a folder of its own.
    fn bundle(&self, work: &Path) -> Result<(), String> {
        if std::env::var("TASKQL_WEB").is_ok_and(|value| value == "off") {
            return Err("TASKQL_WEB is off".into());
        }
        for source in self.sources {
            copy(&self.folder().join(source), &work.join(source)).map_err(|error| format!("{source}: {error}"))?;
        }
        let quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
        // No package's own scripts are run; where there is no network this gives up within seconds.
        let careful = [
            "--ignore-scripts",
            "--omit=dev",
            "--prefer-offline",
            "--fetch-retries=1",
            "--fetch-retry-mintimeout=500",
            "--fetch-timeout=15000",
        ];
        run(work, Command::new("npm").arg("ci").args(careful).args(quiet))?;
        let options = [
            "--bundle",
            "--minify",
            "--target=es2020",
            "--log-level=error",
            "--define:process.env.NODE_ENV=\"production\"",
        ];
        let outfile = format!("--outfile=built/{}.js", self.bundle);
        run(work, Command::new("node_modules/.bin/esbuild").arg(self.entry).args(options).arg(outfile))?;
        for (kind, _) in KINDS {
            let file = format!("{}.{kind}", self.bundle);
            compress(&work.join("built").join(&file), &work.join(format!("{file}.gz")))
                .map_err(|error| format!("{file}: {error}"))?;
        }
        Ok(())
    }

    /// The Rust source of the table of bundled files: name, type, gzipped bytes.
    fn table(&self, is_bundled: bool) -> String {
        let Self { name, bundle, .. } = self;
        let row = |(kind, media): &(&str, &str)| {
            let file = format!("{bundle}.{kind}");
            format!(
                "({file:?}, {media:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}/{file}.gz\")) as &[u8]),\n"
            )
        };
        let rows: String = if is_bundled { KINDS.iter().map(row).collect() } else { String::new() };
        format!(
            "/// Name, type, gzipped bytes; empty where the page was not bundled.\nconst BUNDLE: &[(&str, &str, &[u8])] = &[\n{rows}];\n"
        )
    }
}

/// Copies a file, or a folder with all that is in it, over what was there.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        return fs::copy(from, to).map(|_| ());
    }
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        copy(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

fn run(folder: &Path, command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program} cannot be run ({error})"))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
    Err(format!("{program} failed ({last})"))
}

fn compress(from: &Path, to: &Path) -> io::Result<()> {
    let mut encoder = GzEncoder::new(File::create(to)?, Compression::best());
    io::copy(&mut File::open(from)?, &mut encoder)?;
    encoder.finish()?.sync_all()
}
