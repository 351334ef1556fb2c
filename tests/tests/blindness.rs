//! The host is blind. A real one carries a real exchange with two institutions; then all that it wrote,
//! its database's log included, is searched for everything it must not know. What counts as a failure:
//! one word found there, or a word that the same search would overlook.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test")]

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use desk::opening::{Question, open_answers};
use e2e::blindness::Words;
use e2e::client::Client;
use e2e::exchange::{Centre, PASSPHRASE, Relation, Setup};
use e2e::module::{self, Native, OpenRequest};
use e2e::verdict;
use e2e::world::{Institution, Sizes, World};
use encoding_rs::GB18030;
use host::Config;
use protocol::label::Label;
use protocol::roster::Roster;
use protocol::{Digest, Document, Head, Time, seal};
use serde_json::json;

#[tokio::test]
async fn the_host_stores_nothing_that_it_must_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let world = World::new(7, Sizes::small());
    let institutions: Vec<&Institution> =
        ["bank-a", "bank-b"].map(|code| world.institution(code).unwrap()).into();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let mut centre = Centre::new(Setup::default());
    centre.issued = Time::from_unix(now - 60).unwrap();
    let relations: Vec<Relation> = (40..)
        .zip(&institutions)
        .map(|(seed, institution)| {
            let kind = serde_json::from_value(institution.kind.into()).unwrap();
            centre.ask(institution.code, kind, seed, &world.applicants_csv())
        })
        .collect();

    let config = Config {
        data_dir: data.clone(),
        listen: "127.0.0.1:0".parse().unwrap(),
        code: "host-1".parse().unwrap(),
        centre_keys: vec![centre.party.keys.signing.public()],
        web_dir: None,
        artifact_dir: None,
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = host::serve(config, async { drop(stopped.await) }).await.unwrap();
    let url = format!("http://{}", running.address());
    let desk = Client::sign_in(&url, &centre.party.keys).await;
    for (relation, institution) in relations.iter().zip(&institutions) {
        desk.post("agreements", relation.agreement.clone()).await;
        desk.post("rosters", relation.roster.clone()).await;
        let bank = Client::sign_in(&url, &relation.party.keys).await;
        let roster = Digest::of(&Head::parse(&relation.roster).unwrap().pae());
        let mut open = OpenRequest::new(relation);
        open.roster = bank.get(&format!("rosters/{roster}")).await;
        open.options["now"] = json!(now);
        let run = module::run(&mut Native::default(), &open, &institution.bytes(), 1 << 16).unwrap();
        bank.post(&format!("rosters/{roster}/answers"), run.answer).await;

        // It is a true exchange: the centre finds everybody in what the host hands out.
        let listed = desk.get_json(&format!("rosters/{roster}/answers")).await;
        let answer = desk.get(&format!("answers/{}", listed[0]["digest"].as_str().unwrap())).await;
        let agreement = Document::read(&relation.agreement).unwrap();
        let question = Question::read(&relation.roster, &[agreement], &world.applicants_csv()).unwrap();
        let officer = &centre.officers[0].keys.opening;
        let table = open_answers(&[question], vec![answer], &centre.party.keys.opening, &[officer]).unwrap();
        let verdict = verdict::compare(&table, institution);
        assert!(verdict.found > 50 && verdict.missed == 0 && verdict.wrong == 0, "{verdict:?}");
    }

    let mut words = Words::of(&world, &institutions);
    words.bytes(PASSPHRASE);
    relations.iter().for_each(|relation| words.bytes(&token_key(relation)));
    assert!(words.len() > 4 * world.applicants().len() + 1_000, "{} words", words.len());

    // While it runs: a part of the database stands in its log only.
    let search = words.search(&data);
    let log = search.files.iter().find(|file| file.to_string_lossy().ends_with("-wal"));
    assert!(fs::metadata(log.expect("a log of the database")).unwrap().len() > 0);
    assert!(search.bytes > 500_000, "{} bytes", search.bytes);
    assert!(search.found_nothing(), "{search:?}");
    // And when it has ended.
    stop.send(()).unwrap();
    running.finished().await.unwrap();
    let search = words.search(&data);
    assert!(search.found_nothing(), "{search:?}");

    the_search_sees(&words, &data, &world, &relations[0], folder.path());
    // It finds the people where they are: in a bank's own file.
    for institution in &institutions {
        let export = folder.path().join(institution.code);
        fs::create_dir(&export).unwrap();
        fs::write(export.join(institution.file_name), institution.bytes()).unwrap();
        let search = words.search(&export);
        assert!(search.hits > institution.truth.found(), "{}: {} hits", institution.code, search.hits);
    }
}

/// A word of each sort, planted in a copy of the folder, is found.
fn the_search_sees(words: &Words, data: &Path, world: &World, relation: &Relation, scratch: &Path) {
    let applicant = &world.applicants()[0];
    let number = &applicant.number.text;
    let (_, amounts) = world
        .institution(&relation.party.code)
        .unwrap()
        .accounts_of_applicants()
        .find(|(_, amounts)| amounts.iter().any(|minor| *minor >= 100_000_000))
        .unwrap();
    let minor = amounts.into_iter().max().unwrap();
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let long = world.applicants().iter().find(|applicant| applicant.name.chars().count() > 2).unwrap();
    let planted = [
        number.clone().into_bytes(),
        utf_16(number),
        applicant.name.clone().into_bytes(),
        GB18030.encode(&long.name).0.into_owned(),
        utf_16(&long.name),
        format!("{}.{:02}", minor / 100, minor % 100).into_bytes(),
        minor.to_string().into_bytes(),
        minor.to_be_bytes().to_vec(),
        PASSPHRASE.to_vec(),
        token_key(relation),
        hex::encode(token_key(relation)).into_bytes(),
    ];
    for (at, word) in planted.iter().enumerate() {
        let copy = scratch.join(format!("copy-{at}"));
        copy_folder(data, &copy);
        // In the middle of the database, where a row would have it.
        let database = copy.join("host.sqlite");
        let mut bytes = fs::read(&database).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + word.len()].copy_from_slice(word);
        fs::write(&database, bytes).unwrap();
        assert!(words.search(&copy).hits > 0, "word {at} of {} bytes is overlooked", word.len());
    }
    // A name of two characters has four bytes in GB18030. All of them together are more than chance.
    let copy = scratch.join("copy-of-names");
    copy_folder(data, &copy);
    let names: Vec<u8> = world
        .applicants()
        .iter()
        .filter(|applicant| applicant.name.chars().count() == 2)
        .flat_map(|applicant| GB18030.encode(&applicant.name).0.into_owned())
        .collect();
    fs::write(copy.join("names"), names).unwrap();
    let search = words.search(&copy);
    assert!(search.short_hits > search.by_chance(), "{search:?}");
}

/// The roster's token key, as the institution's module opens it (SPEC §4.3).
fn token_key(relation: &Relation) -> Vec<u8> {
    let Document::<Roster> { header, .. } = Document::read(&relation.roster).unwrap();
    let info = Label::TokenKey.bytes(&[header.id.as_bytes(), header.agreement.as_bytes()]);
    seal::open(&relation.party.keys.opening, &info, &header.token_key.0, "token key").unwrap().to_vec()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
