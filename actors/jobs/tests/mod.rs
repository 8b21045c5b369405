//! Jobs on real databases.

mod calling_off;
mod followers;
pub mod hand;
mod life;
mod nodes;
mod restarts;
mod routes;
mod scale;
mod submissions;
mod telling;
mod waiting;

use crate::storage::testing::TestDatabase;

async fn on_both(test: impl AsyncFn(TestDatabase)) {
    test(TestDatabase::sqlite()).await;
    test(TestDatabase::postgres()).await;
}
