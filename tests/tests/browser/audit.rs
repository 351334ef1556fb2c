//! The page for those who look after security.

use e2e::browser::Browser;
use e2e::exchange::Setup;
use e2e::module::{artifact, artifact_dir};
use protocol::Digest;
use protocol::value::Base64;
use serde_json::json;

use crate::office::*;

/// The modules are held against the release that the server offers; one that differs is said to, in red.
#[tokio::test(flavor = "multi_thread")]
async fn modules_are_held_against_the_release() {
    let browser = Browser::start().await;
    for (digest, same) in [(Digest::of(artifact()), "true"), (Digest([7; 32]), "false")] {
        let folder = tempfile::tempdir().unwrap();
        for name in ["matcher.wasm", "reader.wasm"] {
            std::fs::copy(artifact_dir().join(name), folder.path().join(name)).unwrap();
        }
        let release = json!({
            "files": [{ "bytes": artifact().len(), "name": "matcher.wasm", "sha256": digest }],
            "issued": "2026-11-26T08:00:00Z",
            "release": "0.1.0",
        });
        std::fs::write(folder.path().join("release.json"), release.to_string()).unwrap();
        // minisign's form: algorithm, the key's number, the signature.
        let signature = [&b"ED"[..], &[0xEF, 0xCD, 0xAB, 0x89, 0x67, 0x45, 0x23, 0x01], &[9; 64]].concat();
        let text = format!("untrusted comment: signature\n{}\ntrusted comment: x\nAAAA\n", Base64(signature));
        std::fs::write(folder.path().join("release.json.minisig"), text).unwrap();
        let office = Office::open_with("bank-b", Setup::default(), true, folder.path()).await;
        browser.page.goto(format!("{}/audit.html", office.url)).await.unwrap();
        browser.until(&format!("body[data-state=idle] #release-matcher[data-same={same}]")).await;
        assert_eq!(browser.text("#release-keys").await, "0123456789ABCDEF");
        browser.until("#reader-no-imports").await;
        in_both_languages(&browser, if same == "true" { "8-audit-release" } else { "8-audit-differs" }).await;
    }
}
