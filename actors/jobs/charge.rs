//! What jobs cost.

use super::job::{Cost, State, Yield};
use crate::storage::queries::{charges::ChargeRow, jobs::JobRow};

/// Pictures that an upstream has made for a call which is no job.
#[derive(Debug, Clone)]
pub struct Passed {
    pub call_id: String,
    pub app_id: String,
    pub provider: String,
    /// The full id at the catalog, `provider/model`.
    pub target: String,
    pub pictures: u32,
    /// Credits for one picture, times a million.
    pub price: i64,
}

impl Passed {
    /// Its charge at `now`, in milliseconds since 1970, under the call's id.
    pub(super) fn charge(self, now: i64) -> ChargeRow {
        ChargeRow {
            job_id: self.call_id,
            app_id: self.app_id,
            provider: self.provider,
            model: self.target,
            pictures: i32::try_from(self.pictures).unwrap_or(i32::MAX),
            micro_credits: self.price.saturating_mul(self.pictures.into()),
            created_at: now,
        }
    }
}

/// The charge for a job that has just been finished; none for one that brought nothing.
pub(super) fn charge(row: &JobRow) -> Option<ChargeRow> {
    if row.state != State::Completed.to_string() {
        return None;
    }
    let output: Yield = serde_json::from_str(row.results.as_deref()?).ok()?;
    let cost = Cost::of(&output, row.price);
    Some(ChargeRow {
        job_id: row.id.clone(),
        app_id: row.app_id.clone(),
        provider: row.provider.clone(),
        model: row.target.clone(),
        pictures: i32::try_from(cost.pictures).unwrap_or(i32::MAX),
        micro_credits: cost.micro_credits,
        created_at: row.finished_at?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::tests::hand::{failed, made, row};

    #[test]
    fn only_what_was_made_of_completed_jobs_is_charged() {
        let mut output = made();
        output.results.push(failed());
        output.results.extend(made().results);
        let done = JobRow {
            state: "completed".to_owned(),
            results: Some(serde_json::to_string(&output).unwrap()),
            price: 40_000,
            finished_at: Some(9),
            ..row()
        };
        let charged = charge(&done).unwrap();
        assert_eq!((charged.pictures, charged.micro_credits), (2, 80_000));
        assert_eq!((charged.model.as_str(), charged.created_at), ("acme/m", 9));
        let cancelled = JobRow {
            state: "cancelled".to_owned(),
            ..done
        };
        assert_eq!(charge(&cancelled), None);
    }
}
