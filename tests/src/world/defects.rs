//! The applicants' list with known mistakes in it: each must be refused and named by its row.

use serde::Serialize;

use super::applicant::{self, Applicant};
use super::customers;

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Defect {
    /// 授权书编号 is empty.
    NoAuthorisation,
    /// 授权截止 was years ago.
    Expired,
    /// 证件号码 has a check character that does not fit.
    BadNumber,
    /// The person stands in an earlier row as well.
    Duplicate,
}

/// A list and its mistakes.
#[derive(Debug, Clone)]
pub struct DefectiveList {
    /// The file.
    pub bytes: Vec<u8>,
    /// Data rows, the good ones included.
    pub rows: usize,
    /// The bad rows in order, the first data row being 1 (in a spreadsheet it is row 2).
    pub defects: Vec<(usize, Defect)>,
}

/// The list of `people` with `each` mistakes of each kind, spread over it. Duplicates are added rows, the others
/// spoil good ones; an asked-for number that does not fit the list is cut to what does.
pub(super) fn list(people: &[Applicant], each: usize) -> DefectiveList {
    const KINDS: [Defect; 4] =
        [Defect::NoAuthorisation, Defect::Expired, Defect::BadNumber, Defect::Duplicate];
    let wanted = each * KINDS.len();
    let step = (people.len() / (wanted + 1)).max(1);
    let mut rows = Vec::new();
    let mut defects = Vec::new();
    let mut made = 0;
    for (index, person) in people.iter().enumerate() {
        let mut cells = person.cells();
        let here = index % step == step - 1 && made < wanted;
        let defect = here.then(|| KINDS[made % KINDS.len()]);
        made += usize::from(here);
        match defect {
            Some(Defect::NoAuthorisation) => cells[4].clear(),
            Some(Defect::Expired) => cells[5] = "2020-06-30".to_owned(),
            Some(Defect::BadNumber) => cells[2] = bad_number(&person.number.text),
            Some(Defect::Duplicate) => {
                rows.push(cells.clone());
                person.number.text.clone_into(&mut cells[2]);
            }
            None => {}
        }
        rows.push(cells);
        defects.extend(defect.map(|d| (rows.len(), d)));
    }
    DefectiveList { rows: rows.len(), bytes: applicant::list(rows.into_iter()), defects }
}

/// An 18-character number with a check character that does not fit; other documents lose all sense.
fn bad_number(text: &str) -> String {
    if text.len() == 18 { customers::bad_check(text) } else { "不详".to_owned() }
}
