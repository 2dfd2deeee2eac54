//! Whatever is sent: the readers of documents, cursors and tokens end, and soon. Texts of `tests/corpus/` are changed at
//! random, from a seed that a failure names. A second each, or as many as `TASKQL_FUZZ_SECONDS` says.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use sea_orm::DbBackend;
use serde_json::{Map, Value};
use taskql::auth::{Authenticator, Trust};
use taskql::domain::page::{Direction, PageArguments};
use taskql::domain::task::{List, ORDERS};
use taskql::domain::{UserId, Viewer};
use taskql::graphql::{Api, Call};

use crate::support::{SECRET, TestApp, token};

/// A sequence of numbers that is the same for the same seed (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).expect("below a usize")
    }

    /// A text of the corpus after a few changes.
    fn changed(&mut self, corpus: &[String], pieces: &[&str]) -> String {
        let mut text: Vec<char> = corpus[self.below(corpus.len())].chars().collect();
        for _ in 0..=self.below(6) {
            let at = self.below(text.len() + 1);
            let to = (at + self.below(20)).min(text.len());
            match self.below(6) {
                0 => drop(text.drain(at..to)),
                1 => text.splice(at..at, pieces[self.below(pieces.len())].chars()).for_each(drop),
                2 => {
                    let part = text[at..to].to_vec();
                    let times = 1 << self.below(9);
                    text.splice(at..at, part.iter().copied().cycle().take(part.len() * times)).for_each(drop);
                }
                3 => {
                    let other: Vec<char> = corpus[self.below(corpus.len())].chars().collect();
                    let from = self.below(other.len() + 1);
                    text.splice(at..to, other[from..].iter().copied()).for_each(drop);
                }
                4 => text
                    .insert(at, char::from_u32(u32::try_from(self.next() % 0x11_0000).expect("small")).unwrap_or('\0')),
                _ => text.truncate(at),
            }
            text.truncate(40_000);
        }
        text.into_iter().collect()
    }
}

fn corpus(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let files = std::fs::read_dir(&folder).expect("the corpus").map(|file| file.expect("a file").path());
    let texts: Vec<String> = files.map(|file| std::fs::read_to_string(file).expect("a text")).collect();
    assert!(!texts.is_empty());
    texts
}

/// Runs `check` on changed texts until the time is over; the seed of each is its number.
fn fuzz(name: &str, corpus: &[String], pieces: &[&str], mut check: impl FnMut(&str)) {
    let seconds = std::env::var("TASKQL_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(1);
    let first = std::env::var("TASKQL_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let began = Instant::now();
    let mut seed = first;
    while began.elapsed() < Duration::from_secs(seconds) {
        let text = Random(seed).changed(corpus, pieces);
        let asked = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&text)));
        let took = asked.elapsed();
        assert!(outcome.is_ok(), "{name}: seed {seed} panics on {text:?}");
        assert!(took < Duration::from_millis(250), "{name}: seed {seed} takes {took:?} for {text:?}");
        seed += 1;
    }
    println!("{name}: {} texts", seed - first);
}

#[tokio::test]
async fn no_document_breaks_the_way_to_execution() {
    let app = TestApp::new().await;
    let api = Api::new(app.store.clone(), true);
    let pieces = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "\"",
        "\"\"\"",
        "\\",
        "\\u{",
        "\\\"\"\"",
        "...",
        "@skip(if: true)",
        "$a",
        ": Int",
        "= {x: 1}",
        "fragment F on Query",
        "...F",
        "__typename",
        "__schema",
        "# ",
        "\n",
        "\r",
        "\u{feff}",
        "-0",
        "1e9",
        "null",
        "on",
        "query(",
        "a:",
    ];
    fuzz("documents", &corpus("documents"), &pieces, |text| {
        let Ok(document) = api.read(text).map(Arc::new) else { return };
        let Ok(operation) = document.operation(None) else { return };
        let variables: Map<String, Value> = Map::new();
        // Without a viewer nothing waits for the database.
        let call = Call { operation, variables, viewer: None };
        assert!(api.execute(call).now_or_never().is_some(), "it waits for something");
    });
}

#[test]
fn no_cursor_breaks_a_list() {
    let viewer = Viewer { id: UserId::new("ada").expect("an id"), email: None, name: None };
    let texts = [
        "AQQBAaH5PmTmd3eZgzvHk0UP5AAGR0dvjJwA",
        "AQICAaH5PmTmd3eZgzvHk0UP5GFwcGxl",
        "AQEBAaH5UiQUd7qHpcngqEG0IwAGYLXo3OzF",
    ];
    fuzz("cursors", &texts.map(str::to_owned), &["A", "_", "-", "=", "AQ", "\0", "é"], |text| {
        for order in ORDERS {
            for direction in [Direction::Ascending, Direction::Descending] {
                let page = PageArguments { after: Some(text.to_owned()), ..PageArguments::default() };
                let list = List { order, direction: Some(direction), page, ..List::default() };
                for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
                    let _good_or_not = list.clone().plan(backend, &viewer);
                }
            }
        }
    });
}

#[test]
fn no_token_is_taken_but_a_signed_one() {
    let authenticator = Authenticator::new(Trust { secrets: vec![SECRET.to_vec()], ..Trust::default() });
    let good = token("ada");
    let mut texts = corpus("tokens");
    texts.push(good.clone());
    fuzz("tokens", &texts, &[".", "eyJ", "==", "{}", "null", "\"", "A"], |text| {
        let verified = authenticator.verify(text).now_or_never().expect("nothing to wait for");
        assert!(verified.is_err() || text == good, "{text} is taken");
    });
}
