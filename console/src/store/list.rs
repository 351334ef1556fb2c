//! Lists: one statement gives a page of rows, filtered, in an order, and how many there are in all.

use protocol::value::Date;
use sqlx::sqlite::SqliteRow;

use super::{Fault, Store};

/// What to keep to in a list. Empty is all.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// A state of the list's own.
    pub state: String,
    /// An office's name.
    pub office: String,
    /// The beginning of a number.
    pub text: String,
}

impl Filter {
    /// Keeps to a state.
    pub fn of_state(state: &str) -> Self {
        Self { state: state.to_owned(), ..Self::default() }
    }
}

/// Which rows of a list, in which order.
#[derive(Debug, Clone)]
pub struct Page {
    /// SQL, from the list's own table of columns.
    pub order: String,
    /// Rows before.
    pub skip: i64,
    /// Rows at most.
    pub limit: i64,
}

impl Page {
    /// The first rows.
    pub fn first(order: &str, limit: i64) -> Self {
        Self { order: order.to_owned(), skip: 0, limit }
    }
}

/// A list, in SQL. In `wanted` stand ?1 for the filter's state, ?2 for its office, ?3 for its text, ?4 and ?5 for days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    /// `SELECT … FROM …`
    pub(crate) select: &'static str,
    /// What of it decides how many there are: `FROM …`
    pub(crate) from: &'static str,
    /// `WHERE …`
    pub(crate) wanted: &'static str,
}

impl List {
    /// A page, and how many there are in all.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub(crate) async fn read(
        &self,
        store: &Store,
        filter: &Filter,
        days: [Date; 2],
        page: &Page,
    ) -> Result<(Vec<SqliteRow>, i64), Fault> {
        let Self { select, from, wanted } = self;
        let text = filter.text.replace(['%', '_'], "");
        let [first, second] = days.map(Date::number);
        let total = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) {from} {wanted}")))
            .bind(&filter.state)
            .bind(&filter.office)
            .bind(&text)
            .bind(first)
            .bind(second)
            .fetch_one(store.read())
            .await?;
        let order = &page.order;
        let query = format!("{select} {wanted} ORDER BY {order} LIMIT ?6 OFFSET ?7");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(&filter.state)
            .bind(&filter.office)
            .bind(&text)
            .bind(first)
            .bind(second)
            .bind(page.limit)
            .bind(page.skip)
            .fetch_all(store.read())
            .await?;
        Ok((rows, total))
    }
}
