//! Jobs: orders of pictures and videos that outlive their request.
//!
//! A job that was acknowledged is in the table, and ends there as `completed`, `failed` or `cancelled`, whatever
//! becomes of the process meanwhile. What an upstream has taken as a task is asked for after a restart, with the
//! same token, and not drawn again.
//!
//! | | |
//! |---|---|
//! | owns | the order of jobs that are not finished, the table `jobs`; the rows of `images` begin and end with them |
//! | durable | the table: each job's state, and the tickets of upstreams before anything else is done with them |
//! | derivable | the order: read from the table; how long models take: from the newest completed jobs |
//! | ephemeral | who follows a job; which workers live, which the fall of this actor leaves alone |
//! | mailbox | submissions, bounded by the queue's limits; cancels, looks; reports of workers, one each |
//! | restart | reads the table again; a job whose worker lives counts as running, and no other is started for it |
//!
//! | room | what it is for |
//! |---|---|
//! | [`job`] | a job as its app sees it |
//! | [`order`] | what is wanted, so that it can be kept |
//! | [`policy`] | which job is next, and what becomes of one that failed; pure |
//! | [`learnt`], `pace` | how long models take; also those that draw past the jobs |
//! | [`events`], `followers` | what followers are told, and who they are |
//! | [`standing`] | where a job that is not finished stands, and what it waits for; pure |
//! | `metrics` | what is counted |
//! | `store` | the table's transitions |
//! | [`submission`] | what tells a repeated submission from a new one; pure |
//! | `transition` | what a row becomes; pure |
//! | `charge` | what jobs cost; pure |
//! | `pictures` | what a completed job leaves in the table `images` |
//! | [`node`] | which of several gateways is at a job; pure |
//! | [`route`] | who else may do it; pure |
//! | `workers`, `worker`, `parts` | who is at jobs; one on its way, and its parts |
//! | `patience` | writes that wait for the database |
//! | [`waiting`] | somebody who waits for a job that was begun for him |
//! | `watcher` | somebody who follows a job |
//! | `actor`, `look`, `messages`, `handle` | the actor, what the table tells it, what it takes, and the way to it |
//! | `oversight` | the way for operators, to the jobs of all apps |
//! | [`housekeeping`] | the actor that removes what is past its time, or belongs to nothing |
//! | [`draw`], [`painter`] | what workers ask to draw, and who does it |
//! | [`webhooks`] | the ends of jobs, told to whoever wants to know |

mod actor;
mod charge;
pub mod config;
pub mod draw;
pub mod events;
mod followers;
mod handle;
pub mod housekeeping;
pub mod job;
pub mod learnt;
mod look;
mod messages;
mod metrics;
pub mod node;
pub mod order;
mod oversight;
mod pace;
pub mod painter;
mod parts;
mod patience;
mod pictures;
pub mod policy;
pub mod route;
pub mod standing;
mod store;
pub mod submission;
#[cfg(test)]
mod tests;
mod transition;
pub mod waiting;
mod watcher;
pub mod webhooks;
mod worker;
mod workers;

pub use actor::Jobs;
pub use charge::Passed;
pub use config::JobsConfig;
pub use events::Event;
pub use handle::{JobError, JobsHandle, Wish};
pub use job::{Cost, Job, JobFailure, JobResult, NewJob, State, Yield, fresh_id};
pub use messages::Counts;
pub use node::Node;
pub use order::{JobInput, JobOrder};
pub use oversight::Overseen;
pub use pace::Stopwatch;
pub use painter::Painter;
pub use submission::{Again, Submission};
pub use waiting::{News, Waiting};
