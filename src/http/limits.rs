//! How much the server does at once, and how often for one user or address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::{UserId, Viewer};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// After so many operations the callers that have sent none for a while are forgotten.
const SWEEP_EVERY: usize = 4_096;

/// The address at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// What is allowed.
pub struct Limits {
    in_flight: Arc<Semaphore>,
    max_in_flight: usize,
    rates: Option<Rates>,
    trusted_proxies: Vec<IpNet>,
}

struct Rates {
    limiter: DefaultKeyedRateLimiter<Caller>,
    clock: DefaultClock,
    checked: AtomicUsize,
}

/// Whose operations are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Caller {
    User(UserId),
    Address(IpAddr),
}

impl Limits {
    /// At most `max_in_flight` requests at once, and `rate` operations a minute for each user, or address without one;
    /// 0 for no such limit. X-Forwarded-For is believed where it comes from `trusted_proxies`.
    #[must_use]
    pub fn new(max_in_flight: usize, rate: u32, trusted_proxies: Vec<IpNet>) -> Self {
        let rates = NonZeroU32::new(rate).map(|rate| Rates {
            limiter: RateLimiter::keyed(Quota::per_minute(rate)),
            clock: DefaultClock::default(),
            checked: AtomicUsize::new(0),
        });
        Self { in_flight: Arc::new(Semaphore::new(max_in_flight)), max_in_flight, rates, trusted_proxies }
    }

    /// A place among the requests in flight; none if all are taken.
    pub(super) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.in_flight).try_acquire_owned().ok()
    }

    /// Whether no place is free.
    pub(super) fn is_full(&self) -> bool {
        self.in_flight.available_permits() == 0
    }

    /// How many requests are in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.max_in_flight - self.in_flight.available_permits()
    }

    /// Counts an operation.
    ///
    /// # Errors
    /// How long to wait where there were too many.
    pub(super) fn count(&self, viewer: Option<&Viewer>, parts: &Parts) -> Result<(), Duration> {
        match viewer {
            Some(viewer) => self.count_user(&viewer.id),
            None if self.rates.is_some() => self.count_caller(&Caller::Address(network(self.address(parts)))),
            None => Ok(()),
        }
    }

    /// Counts an operation of a user.
    ///
    /// # Errors
    /// How long to wait where there were too many.
    pub(super) fn count_user(&self, user: &UserId) -> Result<(), Duration> {
        self.count_caller(&Caller::User(user.clone()))
    }

    fn count_caller(&self, caller: &Caller) -> Result<(), Duration> {
        let Some(rates) = &self.rates else { return Ok(()) };
        if rates.checked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            rates.limiter.retain_recent();
        }
        rates.limiter.check_key(caller).map_err(|refused| refused.wait_time_from(rates.clock.now()))
    }

    /// The client's address: the peer's, or the last one in X-Forwarded-For that no trusted proxy has.
    fn address(&self, parts: &Parts) -> IpAddr {
        let peer =
            parts.extensions.get::<Peer>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip().to_canonical());
        let is_trusted = |address: &IpAddr| self.trusted_proxies.iter().any(|network| network.contains(address));
        if !is_trusted(&peer) {
            return peer;
        }
        let forwarded = forwarded_for(&parts.headers);
        // Beyond an entry that is not an address nothing can be believed.
        let mut last = peer;
        for entry in forwarded.into_iter().rev() {
            let Some(address) = entry else { return last };
            last = address;
            if !is_trusted(&address) {
                return address;
            }
        }
        last
    }
}

/// The addresses of X-Forwarded-For, the client's first; none for an entry that is not an address.
fn forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let values = headers.get_all(FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or_default());
    values.flat_map(|value| value.split(',')).map(|entry| parse_address(entry.trim())).collect()
}

/// An address, with a port or without one.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// What one client has: an IPv4 address, or a /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            [a, b, c, d, 0, 0, 0, 0].into()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn address(limits: &Limits, peer: &str, forwarded: &[&str]) -> String {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        parts.extensions.insert(Peer(peer.parse().expect("an address")));
        limits.address(&parts).to_string()
    }

    #[test]
    fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
        let open = Limits::new(1, 0, Vec::new());
        assert_eq!(address(&open, "10.0.0.1:1", &["1.2.3.4"]), "10.0.0.1");
        let proxies = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network"));
        let limits = Limits::new(1, 0, proxies.to_vec());
        assert_eq!(address(&limits, "10.0.0.1:1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(address(&limits, "[::ffff:10.0.0.1]:1", &["1.2.3.4:55"]), "1.2.3.4");
        assert_eq!(address(&limits, "10.0.0.1:1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"]), "1.2.3.4");
        assert_eq!(address(&limits, "10.0.0.1:1", &["6.6.6.6", "1.2.3.4"]), "1.2.3.4");
        assert_eq!(address(&limits, "[fd00::1]:1", &["[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(address(&limits, "10.0.0.1:1", &["1.2.3.4, nonsense"]), "10.0.0.1");
        assert_eq!(address(&limits, "10.0.0.1:1", &[]), "10.0.0.1");
        assert_eq!(address(&limits, "10.0.0.1:1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(address(&limits, "8.8.8.8:1", &["1.2.3.4"]), "8.8.8.8");
    }

    #[test]
    fn neighbours_in_ipv6_share_a_rate() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6".parse().expect("an address")).to_string(), "2001:db8:1:2::");
        assert_eq!(network("1.2.3.4".parse().expect("an address")).to_string(), "1.2.3.4");
    }
}
