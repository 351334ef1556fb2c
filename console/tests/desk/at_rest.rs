//! What lies on the disk. What counts as a failure: a name, a number or a password in any file of the data
//! folder, in whatever encoding, while the desk runs (with its WAL) or after it was closed.

use console::staff::Role;

use crate::office::{Office, PASSWORD};

/// Every file under the folder, and whether one of `needles` stands in it, as UTF-8, UTF-16 or hexadecimal.
pub(crate) fn found(office: &Office, needles: &[&str]) -> Vec<String> {
    let (mut hits, mut read) = (Vec::new(), 0);
    let mut folders = vec![office.folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            read += bytes.len();
            for needle in needles {
                let utf16: Vec<u8> = needle.encode_utf16().flat_map(u16::to_le_bytes).collect();
                let spelled: String = needle.bytes().map(|b| format!("{b:02x}")).collect();
                for form in [needle.as_bytes(), &utf16, spelled.as_bytes()] {
                    if bytes.windows(form.len()).any(|window| window == form) {
                        hits.push(format!("{needle} in {}", path.display()));
                    }
                }
            }
        }
    }
    assert!(read > 10_000, "the folder was looked into");
    hits
}

#[tokio::test]
async fn no_name_password_or_secret_of_staff_lies_on_the_disk() {
    let office = Office::open().await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    person.post("/sign-out", &[]).await;
    let secret: String = person.secret.iter().map(|b| format!("{b:02x}")).collect();
    let needles = ["职员jb01", PASSWORD, secret.as_str(), person.cookie.as_str()];
    let needles: Vec<&str> = needles.into_iter().filter(|needle| !needle.is_empty()).collect();
    assert!(office.data().join("desk.sqlite-wal").exists(), "the WAL is among what was searched");
    assert_eq!(found(&office, &needles), [""; 0]);
    assert!(!found(&office, &["jb01"]).is_empty(), "the search finds what is there: the account's code");
    office.console.store().close().await;
    assert_eq!(found(&office, &needles), [""; 0]);
}
