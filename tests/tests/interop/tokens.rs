//! SPEC §3.4 and §3.5: tokens, name tags and flags.

use protocol::name::Name;
use protocol::roster::PrfName;
use protocol::secret::TokenKey;
use protocol::subject::{self, Hint, Kind, Outcome, Subject};
use protocol::token::{NameTags, Prf, Token};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::subjects::HINTS;
use e2e::python::Python;

const KINDS: [Kind; 6] =
    [Kind::Resident, Kind::PermanentOld, Kind::Passport, Kind::HkMoPermit, Kind::TwPermit, Kind::Officer];
const PRFS: [(&str, PrfName); 2] = [("blake3", PrfName::Blake3), ("hmac-sha256", PrfName::HmacSha256)];

/// A subject of some cell.
fn any_subject(dice: &mut Dice) -> Subject {
    loop {
        let hint = if dice.below(2) == 0 { Hint::None } else { dice.pick(&HINTS).1 };
        if let (Outcome::Subjects((subject, _)), _) = subject::read(&dice.cell(), hint) {
            return subject;
        }
    }
}

#[test]
fn random_tokens_are_the_same() {
    let mut dice = Dice(2);
    let (mut requests, mut expected) = (Vec::new(), Vec::new());
    for n in 0..10_000 {
        let ((prf_name, prf), key, subject) = (PRFS[n % 2], dice.bytes::<32>(), any_subject(&mut dice));
        let token = Prf::new(prf, TokenKey::from_bytes(&key)).token(&subject);
        let (kind, number) = (subject.kind().name(), subject.number());
        requests.push(
            json!({"op": "token", "prf": prf_name, "key": hex::encode(key), "kind": kind, "number": number}),
        );
        expected.push(json!({"token": hex::encode(token.0)}));
    }
    assert_eq!(Python::start().ask_all(&requests), expected);
    for kind in KINDS.map(Kind::name) {
        let seen = requests.iter().filter(|request| request["kind"] == kind).count();
        assert!(seen > 20, "{kind} came up {seen} times");
    }
}

#[test]
fn random_names_have_the_same_tags_and_flags() {
    let mut dice = Dice(3);
    let (mut requests, mut expected, mut flags) = (Vec::new(), Vec::new(), [0; 4]);
    for n in 0..10_000 {
        let ((prf_name, prf), key, token) = (PRFS[n % 2], dice.bytes::<32>(), Token(dice.bytes::<16>()));
        let ours = dice.name();
        let theirs = dice.other_name(&ours);
        let prf = Prf::new(prf, TokenKey::from_bytes(&key));
        let tags = |name: &str| Name::read(name).map(|name| prf.name_tags(&token, &name));
        let request = json!({"prf": prf_name, "key": hex::encode(key), "token": hex::encode(token.0)});
        let with = |members: Value| {
            let mut request = request.clone();
            request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            request
        };
        requests.push(with(json!({"op": "name_tags", "name": ours})));
        expected.push(Name::read(&ours).zip(tags(&ours)).map_or(json!({"wild": true}), |(name, tags)| {
            json!({
                "folded_tag": hex::encode(tags.folded), "exact_tag": hex::encode(tags.exact),
                "folded": name.folded(), "trimmed": name.trimmed(), "wild": false,
            })
        }));
        let ours = tags(&ours).unwrap_or(NameTags { folded: dice.bytes(), exact: dice.bytes() });
        let flag = ours.compare(tags(&theirs)) as u8;
        flags[usize::from(flag)] += 1;
        requests.push(with(json!({
            "op": "name_flag", "name": theirs,
            "folded_tag": hex::encode(ours.folded), "exact_tag": hex::encode(ours.exact),
        })));
        expected.push(json!({"flag": flag}));
    }
    for ((request, expected), reply) in requests.iter().zip(&expected).zip(Python::start().ask_all(&requests))
    {
        for (member, value) in expected.as_object().unwrap() {
            assert_eq!(reply[member], *value, "{member}: {request}");
        }
    }
    assert!(flags.iter().all(|seen| *seen > 200), "{flags:?}");
}
