//! The module itself, in three runners.

use e2e::browser::Browser;
use e2e::exchange::{Centre, Setup};
use e2e::module::{self, Native, OpenRequest};
use e2e::world::{Sizes, World};

use crate::office::ask;

#[tokio::test(flavor = "multi_thread")]
async fn same_bytes_native_wasmtime_chromium() {
    let world = World::new(7, Sizes::small());
    let centre = Centre::new(Setup::default());
    let browser = Browser::start().await;
    for (institution, seed) in world.institutions.iter().zip(30..) {
        let relation = ask(&centre, &world, institution, seed);
        let (open, file) = (OpenRequest::new(&relation), institution.bytes());

        let native = module::run(&mut Native::default(), &open, &file, file.len()).unwrap();
        let wasmtime = module::run(&mut module::wasmtime(), &open, &file, 7_919).unwrap();
        let chromium = module::run(&mut browser.matcher().await, &open, &file, 100_003).unwrap();

        assert!(native.answer == wasmtime.answer, "{}: wasmtime", institution.code);
        assert!(native.answer == chromium.answer, "{}: Chromium", institution.code);
        assert_eq!(native.report, wasmtime.report);
        assert_eq!(native.report, chromium.report);
        assert_eq!(native.report["answer_bytes"], native.answer.len());
        println!("{}: {} bytes in, {} bytes out", institution.code, file.len(), native.answer.len());
    }
}
