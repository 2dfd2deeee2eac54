//! The forms of the settings. An error says what would be right; the caller puts the setting's name before it.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;
use reqwest::{Proxy, Url};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use super::Origin;
use crate::telemetry::LogFormat;

/// Most database connections: far more than a PostgreSQL server has.
const MAX_POOL_SIZE: u32 = 10_000;

type Parsed<T> = Result<T, String>;

pub(super) fn boolean(text: &str) -> Parsed<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("'{text}' is neither true nor false")),
    }
}

pub(super) fn count(text: &str) -> Parsed<u32> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("'{text}' is not a whole number from 1 to {}", u32::MAX))
}

/// sqlx sets aside room for as many connections as this.
pub(super) fn pool_size(text: &str) -> Parsed<u32> {
    let size = text.parse().ok().filter(|size| (1..=MAX_POOL_SIZE).contains(size));
    size.ok_or_else(|| format!("'{text}' is not a whole number from 1 to {MAX_POOL_SIZE}"))
}

pub(super) fn count_or_none(text: &str) -> Parsed<u32> {
    text.parse().map_err(|_| format!("'{text}' is not a whole number from 0 to {}", u32::MAX))
}

/// What stands between commas.
fn list<T>(text: &str, item: impl Fn(&str) -> Parsed<T>) -> Parsed<Vec<T>> {
    let items = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    let items = items.map(item).collect::<Parsed<Vec<T>>>()?;
    if items.is_empty() && !text.is_empty() {
        return Err(format!("'{text}' names nothing; leave it out, or put values between commas"));
    }
    Ok(items)
}

pub(super) fn texts(text: &str) -> Parsed<Vec<String>> {
    list(text, |text| Ok(text.to_owned()))
}

/// A claim that can tell users apart.
pub(super) fn user_claim(text: &str) -> Parsed<String> {
    match text {
        "aud" | "exp" | "iat" | "iss" | "jti" | "nbf" => {
            Err(format!("'{text}' says nothing of the user; name a claim such as sub or email"))
        }
        _ => Ok(text.to_owned()),
    }
}

pub(super) fn networks(text: &str) -> Parsed<Vec<IpNet>> {
    list(text, network)
}

/// A network, or one address of it.
fn network(text: &str) -> Parsed<IpNet> {
    let one = text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or(one).ok_or_else(|| format!("'{text}' is not a network such as 10.0.0.0/8 or fd00::/8"))
}

/// Keys decide who is who, so they come encrypted, or from this machine.
/// Never repeats the text, which may hold a password.
pub(super) fn key_set_url(text: &str) -> Parsed<Url> {
    let url: Url = text.parse().map_err(|_| "not a URL such as https://auth.example.com/jwks")?;
    let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_local => Ok(url),
        _ => Err("neither https nor on this machine; keys need a URL such as https://auth.example.com/jwks".into()),
    }
}

/// A proxy for https, where all but the host may be left out. Never repeats the text, which may hold a password.
pub(super) fn proxy(text: &str) -> Parsed<Proxy> {
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url: Option<Url> = full.parse().ok().filter(|url: &Url| matches!(url.scheme(), "http" | "https"));
    let proxy = url.and_then(|url| Proxy::https(url).ok());
    proxy.ok_or_else(|| "not the URL of an http or https proxy, such as http://proxy.example.com:3128".into())
}

pub(super) fn address(text: &str) -> Parsed<SocketAddr> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let numeric = numeric.as_deref().unwrap_or(text);
    numeric.parse().map_err(|_| format!("'{text}' is not an address and a port, such as 127.0.0.1:8000 or [::1]:8000"))
}

pub(super) fn origins(text: &str) -> Parsed<Vec<Origin>> {
    list(text, str::parse)
}

/// A filter that lets something of ours through. A word that is no level counts as the name of a crate for tracing, and
/// then nothing is logged at all.
pub(super) fn filter(text: &str) -> Parsed<EnvFilter> {
    const FORM: &str = "give a level (error, warn, info, debug, trace, off), or levels for parts such as taskql=debug";
    // Tracing takes spaces for a part of a name.
    let directives: Vec<&str> = text.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
    let mut is_about_us = false;
    for directive in &directives {
        let name = directive.split(['=', '[']).next().unwrap_or_default();
        let is_bare = name == *directive;
        if is_ours(name) || name.is_empty() || (is_bare && LevelFilter::from_str(name).is_ok()) {
            is_about_us = true;
        } else if is_bare || name.starts_with("taskql") {
            return Err(format!("'{name}' is neither a level nor a part of taskql; {FORM}"));
        }
    }
    if !is_about_us {
        return Err(format!("'{text}' leaves out taskql; {FORM}"));
    }
    EnvFilter::try_new(directives.join(",")).map_err(|error| format!("'{text}' is no filter ({error}); {FORM}"))
}

/// Whether events of ours go by a name: it is that of the crate, or of a module in it.
fn is_ours(name: &str) -> bool {
    let modules = include_str!("../lib.rs").lines();
    let mut modules = modules.filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    match name.strip_prefix("taskql").map(|rest| rest.strip_prefix("::").unwrap_or(rest)) {
        Some("") => true,
        Some(path) => modules.any(|module| path.split("::").next() == Some(module)),
        None => false,
    }
}

pub(super) fn log_format(text: &str) -> Parsed<LogFormat> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("'{text}' is neither text nor json")),
    }
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn a_filter_is_about_taskql() {
        for good in [
            "info",
            "INFO",
            "off",
            "info,",
            "warn, taskql=debug",
            "taskql",
            "taskql::http=trace,sqlx=warn",
            "hyper=debug,error",
            "[request]=debug",
            "taskql[request{id=1}]=debug",
        ] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for (bad, word) in [
            ("warning", "'warning' is neither a level"),
            ("verbose", "'verbose' is neither a level"),
            ("info,warning", "'warning' is neither a level"),
            ("taskql=warning", "'taskql=warning' is no filter"),
            ("tasql=debug", "'tasql=debug' leaves out taskql"),
            ("taskql::htp=debug", "'taskql::htp' is neither"),
            ("taskqlx=debug", "'taskqlx' is neither"),
            ("sqlx=warn", "'sqlx=warn' leaves out taskql"),
            (",", "',' leaves out taskql"),
        ] {
            let error = filter(bad).expect_err(bad);
            assert!(
                error.starts_with(word) && !error.contains('\n') && error.contains("give a level (error,"),
                "{error}"
            );
        }
    }
}
