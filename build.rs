//! Bundles the GraphiQL page from its npm packages into `OUT_DIR`, compressed, to be embedded. Where npm is missing,
//! offline or told off (`TASKQL_WEB=off`), the build goes on with one warning, and the page loads the same versions
//! from a CDN. Nothing is written outside of `OUT_DIR`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;

/// What the bundle is made of. Cargo runs this again when one of them changes, and not otherwise.
const SOURCES: [&str; 5] = ["bundle.js", "libraries.js", "package-lock.json", "package.json", "page.js"];
/// What the bundle is, with the types that it is served as.
const BUNDLE: [(&str, &str); 2] =
    [("bundle.js", "text/javascript; charset=utf-8"), ("bundle.css", "text/css; charset=utf-8")];

fn main() {
    let source = Path::new("web/graphiql");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=TASKQL_WEB");
    for file in SOURCES {
        println!("cargo::rerun-if-changed={}", source.join(file).display());
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let bundled = bundle(source, &out);
    if let Err(reason) = &bundled {
        println!(
            "cargo::warning=GraphiQL is not bundled: {reason}. Its page will load from a CDN. TASKQL_WEB=off says so without trying."
        );
        // npm may turn up later.
        println!("cargo::rerun-if-env-changed=PATH");
    }
    fs::write(out.join("graphiql.rs"), table(bundled.is_ok())).expect("OUT_DIR can be written");
}

/// Installs the packages and bundles the page.
fn bundle(source: &Path, out: &Path) -> Result<(), String> {
    if std::env::var("TASKQL_WEB").is_ok_and(|value| value == "off") {
        return Err("TASKQL_WEB is off".into());
    }
    let work = out.join("web");
    fs::create_dir_all(&work).map_err(|error| error.to_string())?;
    for file in SOURCES {
        fs::copy(source.join(file), work.join(file)).map_err(|error| format!("{file}: {error}"))?;
    }
    let quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
    // No package's own scripts are run; where there is no network this gives up within seconds.
    let careful = [
        "--ignore-scripts",
        "--prefer-offline",
        "--fetch-retries=1",
        "--fetch-retry-mintimeout=500",
        "--fetch-timeout=15000",
    ];
    run(&work, Command::new("npm").arg("ci").args(careful).args(quiet))?;
    let options = [
        "--bundle",
        "--minify",
        "--target=es2020",
        "--log-level=error",
        "--define:process.env.NODE_ENV=\"production\"",
    ];
    let bundle = "bundle.js";
    run(&work, Command::new("node_modules/.bin/esbuild").arg(bundle).args(options).arg("--outdir=built"))?;
    for (file, _) in BUNDLE {
        compress(&work.join("built").join(file), &out.join(format!("{file}.gz")))
            .map_err(|error| format!("{file}: {error}"))?;
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

/// The Rust source of the table of bundled files: name, type, gzipped bytes.
fn table(is_bundled: bool) -> String {
    let row = |(file, kind): &(&str, &str)| {
        format!("({file:?}, {kind:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}.gz\")) as &[u8]),\n")
    };
    let rows: String = if is_bundled { BUNDLE.iter().map(row).collect() } else { String::new() };
    format!(
        "/// Name, type, gzipped bytes; empty where the page was not bundled.\nconst BUNDLE: &[(&str, &str, &[u8])] = &[\n{rows}];\n"
    )
}
