//! Digests of the world's bytes. They change only when the world is meant to change.

use sha2::{Digest, Sha256};

use super::*;

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_ever() {
    let world = world();
    let mut found: Vec<(&str, String)> = vec![
        ("applicants", digest(&world.applicants_csv())),
        ("defects", digest(&world.defective_applicants_csv(3).bytes)),
    ];
    for institution in &world.institutions {
        found.push((institution.code, digest(&institution.bytes())));
    }
    let truths: Vec<&Truth> = world.institutions.iter().map(|institution| &institution.truth).collect();
    found.push(("truth", digest(&serde_json::to_vec(&truths).unwrap())));
    let mut bulk = Vec::new();
    world.bulk_csv(1_000, Encoding::Gb18030, 0.1, &mut bulk).unwrap();
    found.push(("bulk", digest(&bulk)));
    let damaged: Vec<u8> = damaged::all(7, 200).into_iter().flat_map(|file| file.bytes).collect();
    found.push(("damaged", digest(&damaged)));
    let found: Vec<(&str, &str)> = found.iter().map(|(name, digest)| (*name, &digest[..32])).collect();
    assert_eq!(found, PINNED);
}

#[test]
fn another_seed_gives_another_world() {
    let (one, other) = (world(), World::new(8, Sizes::small()));
    assert_ne!(one.applicants_csv(), other.applicants_csv());
    assert_ne!(one.institutions[0].bytes(), other.institutions[0].bytes());
    assert_eq!(one.institutions[1].bytes(), world().institutions[1].bytes());
}

/// The first half of each SHA-256.
const PINNED: [(&str, &str); 8] = [
    ("applicants", "8c8750fea4e0aacfe4f7fab1c64e9cb9"),
    ("defects", "b70f138bed44919f5838baf7f14c459f"),
    ("bank-a", "73db42404c0e68c0af049e4ef1c09a12"),
    ("bank-b", "6af5fcdfdb13df610c22c1978749468b"),
    ("broker-c", "122f50baf64dfd5d87913d57c40f47f2"),
    ("truth", "91e561a43908b0e5b8e0cc9c5252d996"),
    ("bulk", "29afd875aada38bad167ec3e1c6fc42e"),
    ("damaged", "17c6fc8dbf1ad5fdded114b0212a68fb"),
];
