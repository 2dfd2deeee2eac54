//! Origins that may call from a browser, and patterns of them.

use std::str::FromStr;

use reqwest::Url;

/// Schemes that have a default port, by which a browser leaves it out of an origin.
const DEFAULT_PORTS: [(&str, &str); 2] = [("https", "443"), ("http", "80")];
/// Schemes of which no page is.
const NOT_OF_PAGES: [&str; 10] =
    ["about", "blob", "data", "file", "ftp", "javascript", "mailto", "postgres", "ws", "wss"];
const FORM: &str = "not an origin, such as https://app.example.com, https://*.example.com, http://localhost:* or \
                    tauri://localhost";

/// An origin as browsers send it (RFC 6454, section 6.2), or a pattern: `https://*.example.com` with one or more labels
/// in the place of the star, `http://localhost:*` with any port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    /// In lower case; what stands behind the star where there is one.
    host: String,
    has_any_subdomain: bool,
    port: Port,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Port {
    Any,
    Default,
    Number(String),
}

impl Origin {
    /// Whether the value of an Origin header is this one or of this pattern.
    #[must_use]
    pub fn matches(&self, origin: &str) -> bool {
        let Some((scheme, host, port)) = split(origin) else { return false };
        let host = host.to_ascii_lowercase();
        let is_host = if self.has_any_subdomain {
            host.strip_suffix(&self.host).is_some_and(|labels| labels.strip_suffix('.').is_some_and(are_labels))
        } else {
            host == self.host
        };
        let is_port = match &self.port {
            Port::Any => true,
            Port::Default => port.is_none(),
            Port::Number(number) => port == Some(number.as_str()),
        };
        scheme.eq_ignore_ascii_case(&self.scheme) && is_host && is_port
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("'{text}' {what}");
        if text == "*" || text == "null" {
            return Err(wrong("would let any page call; list the origins, such as https://app.example.com"));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong(&format!("is {FORM}")))?;
        if NOT_OF_PAGES.iter().any(|no_page| scheme.eq_ignore_ascii_case(no_page)) {
            return Err(wrong("has a scheme that no page has; write https:// or http:// as the page's address begins"));
        }
        if rest.ends_with('/') && rest.matches('/').count() == 1 {
            return Err(wrong("ends with a '/', which no origin does; take it out"));
        }
        let (authority, any_port) = rest.strip_suffix(":*").map_or((rest, false), |host| (host, true));
        let (authority, has_any_subdomain) =
            authority.strip_prefix("*.").map_or((authority, false), |host| (host, true));
        // Browsers send hosts as the URL standard writes them: in lower case, international ones in ASCII.
        let url: Option<Url> = format!("{scheme}://{authority}").parse().ok();
        let url = url.filter(|url| {
            url.username().is_empty() && url.password().is_none() && !authority.contains(['/', '?', '#', '*', '@', ','])
        });
        let host = url.as_ref().and_then(Url::host_str).filter(|host| !host.is_empty());
        let (Some(url), Some(host)) = (&url, host) else { return Err(wrong(&format!("is {FORM}"))) };
        if has_any_subdomain && !matches!(url.host(), Some(url::Host::Domain(_))) {
            return Err(wrong("has a star before an address; only names have subdomains"));
        }
        // The URL standard leaves default ports out itself.
        let port = match url.port() {
            _ if any_port => Port::Any,
            Some(port) => Port::Number(port.to_string()),
            None => Port::Default,
        };
        Ok(Self { scheme: url.scheme().to_owned(), host: host.to_ascii_lowercase(), has_any_subdomain, port })
    }
}

/// Scheme, host and port of an origin, without a default port.
fn split(origin: &str) -> Option<(&str, &str, Option<&str>)> {
    let (scheme, authority) = origin.split_once("://")?;
    let is_port = |port: &str| !port.is_empty() && port.len() <= 5 && port.bytes().all(|digit| digit.is_ascii_digit());
    match authority.rsplit_once(':').filter(|_| !authority.ends_with(']')) {
        None => Some((scheme, authority, None)),
        Some((host, port)) if is_port(port) => {
            let is_default = DEFAULT_PORTS.iter().any(|known| *known == (&*scheme.to_ascii_lowercase(), port));
            Some((scheme, host, Some(port).filter(|_| !is_default)))
        }
        Some(_) => None,
    }
}

/// Whether a text is one or more labels of a host, with dots between them.
fn are_labels(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn an_origin_matches_itself_and_a_pattern_what_it_stands_for() {
        for (pattern, matching, others) in [
            (
                "https://App.example.com",
                &["https://app.example.com", "HTTPS://APP.example.com", "https://app.example.com:443"][..],
                &["http://app.example.com", "https://app.example.com:444", "https://x.app.example.com", "null", ""][..],
            ),
            ("https://x.example:443", &["https://x.example"], &["https://x.example:80", "http://x.example:443"]),
            ("http://x.example:80", &["http://x.example"], &["https://x.example"]),
            ("https://x.example:80", &["https://x.example:80"], &["https://x.example"]),
            ("http://x.example:8080", &["http://x.example:8080"], &["http://x.example", "http://x.example:808"]),
            (
                "https://*.example.com",
                &["https://a.example.com", "https://a.b-c.example.com", "https://A_1.Example.com:443"],
                &[
                    "https://example.com",
                    "https://.example.com",
                    "https://a..example.com",
                    "https://aexample.com",
                    "https://a.example.com.evil.com",
                    "https://evil.com/.example.com",
                    "https://evil.com?.example.com",
                    "https://evil@a.example.com",
                    "https://evil.com:1.example.com",
                    "https://a.example.com:8443",
                    "http://a.example.com",
                ],
            ),
            (
                "http://localhost:*",
                &["http://localhost", "http://localhost:80", "http://localhost:5173"],
                &[
                    "https://localhost:1",
                    "http://localhost.evil.com:1",
                    "http://localhost:",
                    "http://localhost:x",
                    "http://localhost:1:1",
                    "http://localhost:123456",
                ],
            ),
            ("http://[::1]:*", &["http://[::1]", "http://[::1]:3000"], &["http://[::2]:1", "http://::1:3000"]),
            ("http://[0:0::1]", &["http://[::1]"], &["http://[0:0::1]"]),
            ("https://*.example.com:*", &["https://a.example.com:8443"], &["https://example.com:8443"]),
            ("https://bücher.example", &["https://xn--bcher-kva.example"], &["https://bücher.example"]),
            ("tauri://localhost", &["tauri://localhost"], &["tauri://localhost:1", "https://localhost"]),
            ("Capacitor://LocalHost", &["capacitor://localhost"], &["ionic://localhost"]),
            ("app://-", &["app://-"], &["app://"]),
            ("app://obsidian.md", &["app://obsidian.md"], &["app://x.obsidian.md"]),
            ("chrome-extension://abcdefgh", &["chrome-extension://abcdefgh"], &["chrome-extension://abcdefghi"]),
        ] {
            let parsed: Origin = pattern.parse().unwrap_or_else(|error| panic!("{error}"));
            for origin in matching {
                assert!(parsed.matches(origin), "{pattern} {origin}");
            }
            for origin in others {
                assert!(!parsed.matches(origin), "{pattern} {origin}");
            }
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for text in [
            "*",
            "null",
            "app.example.com",
            "localhost:3000",
            "https:/app.example.com",
            "https://",
            "://x",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://user@app.example.com",
            "https://a b.example.com",
            "https://app.example.com:99999",
            "https://app.example.com:x",
            "https://*",
            "https://*:*",
            "https://*.",
            "https://a*.example.com",
            "https://a.*.example.com",
            "https://*.*.example.com",
            "https://*example.com",
            "https://*.10.0.0.1",
            "http://*.[::1]",
            "*://app.example.com",
            "wss://app.example.com",
            "file:///index.html",
            "tauri://",
            "tauri:localhost",
        ] {
            let error = text.parse::<Origin>().expect_err(text);
            assert!(error.starts_with(&format!("'{text}' ")), "{error}");
        }
    }
}
