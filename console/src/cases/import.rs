//! Importing a batch: one transaction for the whole file, so that it is there or not.

use protocol::Time;

use super::template::{Defect, Household};
use super::{authorisation, case, person};
use crate::jobs::Job;
use crate::staff::Clerk;
use crate::store::{Action, Fault, Object, Store, unix};

/// Households between two notes of progress.
const STRIDE: usize = 50;

/// Brings households in, or gives all that the database has against them; then nothing has changed.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn import(
    store: &Store,
    households: &[Household],
    clerk: &Clerk,
    now: Time,
    job: &Job,
) -> Result<Result<usize, Vec<Defect>>, Fault> {
    let mut defects = Vec::new();
    let mut write = store.write().await?;
    for (done, household) in households.iter().enumerate() {
        if done % STRIDE == 0 {
            job.step(done, households.len());
        }
        let first_row = household.members.first().map_or(0, |member| member.row);
        let Some(case) = case::add(&mut write, &household.case, clerk.id, now).await? else {
            defects.push(Defect {
                row: first_row,
                field: "column.commission",
                code: "defect.known_commission",
            });
            continue;
        };
        for member in &household.members {
            let mut wrong = |field, code| defects.push(Defect { row: member.row, field, code });
            let Some(person) = person::find_or_add(&mut write, &member.person, unix(now)).await? else {
                wrong("column.former", "defect.several_people");
                continue;
            };
            let number = &member.authorisation.number;
            let authorisation = match authorisation::owner(&mut write, number).await? {
                Some((id, owner)) if owner == person => id,
                Some(_) => {
                    wrong("column.authorisation", "defect.other_person");
                    continue;
                }
                None => {
                    authorisation::add(&mut write, &member.authorisation, person, clerk.id, unix(now)).await?
                }
            };
            let (relation, ring) = (&member.relation, member.ring);
            if !case::add_member(&mut write, case, person, relation, ring, Some(authorisation)).await? {
                wrong("column.number", "defect.duplicate");
            }
        }
        case::note(&mut write, case, Action("case.received"), None, clerk, now).await?;
    }
    if !defects.is_empty() {
        return Ok(Err(defects));
    }
    write.log(Action("import.done"), &clerk.code, now, Object::Nothing).await?;
    write.commit().await?;
    job.step(households.len(), households.len());
    Ok(Ok(households.len()))
}
