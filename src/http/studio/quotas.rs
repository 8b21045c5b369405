//! What is left of the quotas of credentials, where upstreams tell. They are asked now and then, not for each look.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::sync::Mutex;
use troupe_actors::{providers::provider::Provider, supervision::clock::Monotonic};
use troupe_protocol::pictures::Quota;

use crate::http::services::Services;

/// The last answers. Whoever asks while another does waits for that one's answer.
#[derive(Default)]
pub struct Quotas {
    last: Mutex<Option<(Monotonic, Known)>>,
}

/// By the provider's name, one for each credential.
type Known = BTreeMap<Arc<str>, Vec<Quota>>;

/// How long an answer is good for.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// How long upstreams have to answer.
const WAIT: Duration = Duration::from_secs(5);

impl Quotas {
    /// `{used, limit}` over all credentials that count the same, and each provider's own.
    pub async fn shown(&self, providers: &[Arc<Provider>], services: &Services) -> Value {
        let mut last = self.last.lock().await;
        let now = services.clock.now();
        let is_good = |at: Monotonic| now.saturating_sub(at) < GOOD_FOR;
        if !last.as_ref().is_some_and(|(at, _)| is_good(*at)) {
            *last = Some((now, ask(providers, services).await));
        }
        last.as_ref().map_or(Value::Null, |(_, known)| show(known))
    }
}

async fn ask(providers: &[Arc<Provider>], services: &Services) -> Known {
    let ask = async |provider: &Arc<Provider>| {
        let asked = services.atelier.quotas(provider);
        let told = tokio::time::timeout(WAIT, asked).await.unwrap_or_default();
        let quotas = told
            .into_values()
            .filter_map(|remains| remains.all)
            .collect();
        (provider.name.clone(), quotas)
    };
    let told = futures_util::future::join_all(providers.iter().map(ask)).await;
    told.into_iter()
        .filter(|(_, quotas): &(_, Vec<_>)| !quotas.is_empty())
        .collect()
}

fn show(known: &Known) -> Value {
    let all: Vec<&Quota> = known.values().flatten().collect();
    let unit = all.first().map(|quota| quota.unit);
    let comparable = all
        .iter()
        .all(|quota| Some(quota.unit) == unit && quota.limit.is_some());
    let limit: f64 = all.iter().filter_map(|quota| quota.limit).sum();
    let left: f64 = all.iter().map(|quota| quota.remaining).sum();
    let told = comparable && unit.is_some();
    json!({
        "used": told.then(|| (limit - left).max(0.0)),
        "limit": told.then_some(limit),
        "unit": unit.filter(|_| told),
        "providers": known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(remaining: f64, limit: Option<f64>, unit: &'static str) -> Quota {
        Quota {
            remaining,
            limit,
            unit,
            resets_in: None,
        }
    }

    #[test]
    fn what_counts_the_same_is_added_up() {
        let mut known = Known::new();
        assert_eq!(show(&known)["used"], Value::Null);
        let own = vec![
            quota(70.0, Some(100.0), "requests"),
            quota(100.0, Some(100.0), "requests"),
        ];
        known.insert("a".into(), own);
        let shown = show(&known);
        assert_eq!(
            (&shown["used"], &shown["limit"]),
            (&json!(30.0), &json!(200.0))
        );
        known.insert("b".into(), vec![quota(5.0, Some(9.0), "seconds")]);
        let shown = show(&known);
        assert_eq!(
            (&shown["used"], &shown["unit"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(shown["providers"]["b"][0]["remaining"], 5.0);
    }
}
