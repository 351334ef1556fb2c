//! One list of sessions on all three runners: the native library, wasmtime and Chromium. A failure is a reply that
//! differs by one byte, or one that is not what must come.

use e2e::exchange::{Centre, Setup};
use e2e::module::OpenRequest;
use e2e::script::{self, Everywhere, Script};
use e2e::vectors;
use e2e::world::{Sizes, World};
use protocol::joining::InstitutionKind;
use protocol::roster::{Level, PrfName};

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_of_the_vectors() {
    let everywhere = Everywhere::start().await;
    let sessions = vectors::sessions();
    for session in &sessions {
        session.check(&everywhere.play(&session.script).await);
    }
    assert!(sessions.len() > 150, "{}", sessions.len());
}

/// A bank's messy file at every level, with both PRFs, one officer and three, with and without approval.
#[tokio::test(flavor = "multi_thread")]
async fn every_level_prf_and_opening_group() {
    let everywhere = Everywhere::start().await;
    let world = World::new(7, Sizes { applicants: 100, households: 40, customers_per_institution: 1_000 });
    let (applicants, mut answers) = (world.applicants_csv(), Vec::new());
    for (level, institution) in [Level::L0, Level::L1, Level::L2].into_iter().zip(&world.institutions) {
        for prf in [PrfName::Blake3, PrfName::HmacSha256] {
            for officers in [1, 3] {
                // Approval changes the agreement, so its digest, so every seal.
                let setup = Setup { prf, officers, approval: officers == 3, ..Setup::at(level) };
                let name = format!("{} {level:?} {prf:?} {officers}", institution.code);
                let relation =
                    Centre::new(setup).ask(institution.code, InstitutionKind::Bank, 1, &applicants);
                let open = OpenRequest::new(&relation);
                let script = Script::run(name, &open, &institution.bytes(), 7_919);
                answers.push(script::answer(&everywhere.play(&script).await));
            }
        }
    }
    for (n, answer) in answers.iter().enumerate() {
        assert!(!answers[..n].contains(answer), "no two answers are the same");
    }
    assert_eq!(answers.len(), 12);
}
