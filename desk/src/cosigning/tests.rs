//! A township signs what its own list gives, and nothing else.

use proptest::prelude::*;
use proptest::sample::Index;
use protocol::roster::{ENTRY_BYTES, Field};
use protocol::seal;
use protocol::value::SealingKey;

use super::*;
use crate::defect::{Code, Defect};
use crate::sample::{self, entropy, keys, number};
use crate::{RosterRequest, make_roster};

/// A centre, a bank, a township, and the agreement that asks for the township's signature.
struct Cast {
    centre: Keys,
    bank: Keys,
    township: Keys,
}

impl Cast {
    fn new() -> Self {
        Self { centre: keys(1), bank: keys(2), township: keys(21) }
    }

    fn agreement(&self) -> AgreementInForce {
        let key = self.township.signing.public();
        let signed = sample::signed(&self.centre, &self.bank, |terms| terms.cosigner_key = Some(key));
        signed.check(sample::today()).unwrap()
    }

    fn joining(&self) -> CosignerJoining {
        joining(&self.township)
    }

    fn roster(&self, list: &Applicants, request: &RosterRequest) -> Vec<u8> {
        make_roster(request, &self.agreement(), list, &self.centre, &entropy(5)).unwrap()
    }

    fn request(&self, roster: &[u8], list: &Applicants) -> Vec<u8> {
        let (agreement, joining) = (self.agreement(), self.joining());
        make_request(roster, &agreement, list, &self.centre, &joining, sample::now(), &entropy(6)).unwrap()
    }

    /// What the township says of a roster that the centre made of `theirs`, with `own` as its list.
    fn looked_at(&self, theirs: &[Person], own: &[Person]) -> Result<u32, CosignError> {
        let theirs = list(theirs);
        let roster = self.roster(&theirs, &sample::request(officers()));
        self.rebuild(&roster, &self.request(&roster, &theirs), &list(own)).map(|rebuilt| rebuilt.people)
    }

    fn rebuild(&self, roster: &[u8], request: &[u8], own: &Applicants) -> Result<Rebuilt<'_>, CosignError> {
        rebuild(roster, request, &self.agreement(), own, &self.township, sample::now())
    }

    /// The request of a centre that lies: whatever the roster is, with the commitments of `list`.
    fn forged_request(&self, roster: &[u8], list: &Applicants) -> Vec<u8> {
        let document = Document::<Roster>::read(roster).unwrap();
        let ticket = Ticket::open(&document.header, &self.centre.opening).unwrap();
        let layout = crate::layout::Layout::derive(&ticket, list.canonical());
        let body = write_commitments(&layout.commitments(&layout.salts()));
        let recipient = self.township.opening.public();
        let info =
            Label::CosignRequest.bytes(&[document.digest.as_bytes(), document.header.agreement.as_bytes()]);
        let mut stream = Stream::new(Use::CosignRequest, &entropy(8), &document.digest, b"");
        let header = CosignRequest {
            agreement: document.header.agreement,
            body_bytes: body.len() as u64,
            body_sha256: Digest::of(&body),
            created: sample::now(),
            recipient,
            roster: document.digest,
            seed: Base64(ticket.seal_as(&recipient, &info, &mut stream, "seed").unwrap()),
            slot_count: ticket.slot_count,
        };
        envelope::write(&header, &body, &[&self.centre.signing]).unwrap()
    }
}

fn joining(of: &Keys) -> CosignerJoining {
    CosignerJoining {
        code: "township-1".parse().unwrap(),
        issued: sample::now(),
        name: "城关镇".parse().unwrap(),
        sealing_key: of.opening.public(),
        signing_key: of.signing.public(),
    }
}

fn officers() -> Vec<Vec<SealingKey>> {
    vec![vec![keys(11).opening.public()]]
}

/// A line of a list.
#[derive(Debug, Clone, PartialEq)]
struct Person {
    name: String,
    number: u32,
    former: Vec<u32>,
    form: String,
    scope: String,
}

/// People with different names, numbers and forms; every third had another number.
fn people(count: u32) -> Vec<Person> {
    let one = |n: u32| Person {
        name: format!("张{n}"),
        number: n,
        former: if n.is_multiple_of(3) { vec![50_000 + n] } else { Vec::new() },
        form: format!("授-{n}"),
        scope: "bank:L1".to_owned(),
    };
    (1..=count).map(one).collect()
}

fn list(people: &[Person]) -> Applicants {
    let line = |person: &Person| {
        let former: Vec<String> = person.former.iter().map(|n| number(*n)).collect();
        let Person { name, form, scope, .. } = person;
        format!("{name},{},{form},{scope},{}\n", number(person.number), former.join("；"))
    };
    let text = "姓名,证件号码,授权书编号,授权范围,曾用证件号\n".to_owned()
        + &people.iter().map(line).collect::<String>();
    Applicants::read(text.as_bytes(), sample::today()).unwrap()
}

/// One thing of one person that is otherwise on the township's list.
#[derive(Debug, Clone, Copy)]
enum Change {
    Name,
    Number,
    FormerMore,
    FormerLess,
    FormerFirst,
    Form,
    Scope,
    NoLine,
}

const CHANGES: [Change; 8] = [
    Change::Name,
    Change::Number,
    Change::FormerMore,
    Change::FormerLess,
    Change::FormerFirst,
    Change::Form,
    Change::Scope,
    Change::NoLine,
];

impl Change {
    /// Changes the person at `at`, who has a former number; gives how many are missing then, and what is said of the line.
    fn make(self, people: &mut Vec<Person>, at: usize) -> (u32, Vec<(&'static str, Code)>) {
        use Code::{FewerNumbers, MoreNumbers, OtherForm, OtherName, OtherNumber};
        let person = &mut people[at];
        let said = match self {
            Self::Name => {
                person.name.push('甲');
                vec![("name", OtherName)]
            }
            Self::Number => {
                person.number += 60_000;
                vec![("id_number", OtherNumber), ("former_numbers", MoreNumbers)]
            }
            Self::FormerMore => {
                person.former.push(70_000);
                vec![("former_numbers", FewerNumbers)]
            }
            Self::FormerLess => {
                person.former.clear();
                vec![("former_numbers", MoreNumbers)]
            }
            Self::FormerFirst => {
                std::mem::swap(&mut person.number, &mut person.former[0]);
                vec![("id_number", OtherNumber)]
            }
            Self::Form => {
                person.form.push('1');
                vec![("authorisation", OtherForm)]
            }
            Self::Scope => {
                person.scope = "bank:L2".to_owned();
                vec![("authorisation", OtherForm)]
            }
            Self::NoLine => {
                people.remove(at);
                return (1, Vec::new());
            }
        };
        (0, said)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn its_own_list_gives_the_roster_in_any_order_and_with_more_people(
        (count, asked) in (1_usize..90).prop_flat_map(|count| (Just(count), prop::collection::vec(any::<bool>(), count))),
        keys in prop::collection::vec(any::<u64>(), 90),
    ) {
        let all = people(count as u32);
        let theirs: Vec<Person> = all.iter().zip(&asked).filter(|(_, asked)| **asked).map(|(p, _)| p.clone()).collect();
        prop_assume!(!theirs.is_empty());
        let mut own: Vec<(u64, Person)> = keys.into_iter().zip(all).collect();
        own.sort_by_key(|(key, _)| *key);
        let own: Vec<Person> = own.into_iter().map(|(_, person)| person).collect();
        prop_assert_eq!(Cast::new().looked_at(&theirs, &own), Ok(theirs.len() as u32));
    }

    #[test]
    fn any_one_difference_is_found_and_its_line_named(
        count in 1_u32..70, at in any::<Index>(), change in prop::sample::select(&CHANGES), strangers in 0_u32..3,
    ) {
        let mut theirs = people(count);
        let at = at.index(theirs.len());
        theirs[at].former = vec![50_000 + theirs[at].number];
        let mut own = theirs.clone();
        own.extend((0..strangers).map(|n| Person { number: 80_000 + n, former: Vec::new(), ..theirs[0].clone() }));
        let (missing, said) = change.make(&mut own, at);
        let CosignError::Differs(found) = Cast::new().looked_at(&theirs, &own).unwrap_err() else { panic!("{change:?}") };
        let row = at as u32 + 2;
        let expected: Vec<Defect> = said.into_iter().map(|(field, code)| Defect::new(row, field, code)).collect();
        prop_assert_eq!(found, Differences { people: count, missing, rows: expected });
    }

    #[test]
    fn no_byte_of_a_request_may_change(at in any::<Index>(), bit in 0_u8..8) {
        let (cast, own) = (Cast::new(), list(&people(5)));
        let roster = cast.roster(&own, &sample::request(officers()));
        let mut request = cast.request(&roster, &own);
        let at = at.index(request.len());
        request[at] ^= 1 << bit;
        prop_assert!(cast.rebuild(&roster, &request, &own).is_err());
    }
}

#[test]
fn what_it_signs_the_institution_takes() {
    let (cast, own) = (Cast::new(), list(&people(7)));
    let roster = cast.roster(&own, &sample::request(officers()));
    let rebuilt = cast.rebuild(&roster, &cast.request(&roster, &own), &own).unwrap();
    let signed = rebuilt.sign().unwrap();
    let document = Document::<Roster>::read(&signed).unwrap();
    assert_eq!(document.digest, rebuilt.digest);
    let context = RosterContext { now: sample::now(), last_serial: 0, release: None };
    document.check(&cast.agreement(), &context).unwrap();
    // Once.
    let again = cast.rebuild(&signed, &cast.request(&signed, &own), &own).unwrap();
    assert_eq!(again.sign(), Err(DecodeError::Signers));
}

#[test]
fn where_names_are_not_asked_they_are_not_compared() {
    let (cast, theirs) = (Cast::new(), people(9));
    let mut own = theirs.clone();
    own[3].name.push('甲');
    let request = RosterRequest { fields: vec![Field::Amount], ..sample::request(officers()) };
    let theirs = list(&theirs);
    let roster = cast.roster(&theirs, &request);
    assert_eq!(cast.rebuild(&roster, &cast.request(&roster, &theirs), &list(&own)).unwrap().people, 9);
}

#[test]
fn several_who_are_missing_are_counted() {
    let theirs = people(40);
    let CosignError::Differs(found) = Cast::new().looked_at(&theirs, &theirs[..29]).unwrap_err() else {
        panic!()
    };
    assert_eq!((found.people, found.missing, found.rows.len()), (40, 11, 0));
    assert_eq!(
        found.to_string(),
        "11 of the roster's 40 people are not on the list, and 0 lines of it differ; nothing was signed"
    );
    // One line for two people of the roster: it is named.
    let mut own = theirs.clone();
    let second = own.remove(1);
    own[0].former = vec![second.number];
    let CosignError::Differs(found) = Cast::new().looked_at(&theirs, &own).unwrap_err() else { panic!() };
    assert_eq!((found.missing, found.rows), (0, vec![Defect::new(2, "former_numbers", Code::FewerNumbers)]));
}

#[test]
fn documents_of_others_are_refused() {
    let (cast, own) = (Cast::new(), list(&people(5)));
    let ask = sample::request(officers());
    let roster = cast.roster(&own, &ask);
    let request = cast.request(&roster, &own);
    let refused = |roster: &[u8], request: &[u8]| cast.rebuild(roster, request, &own).unwrap_err();

    // Another roster of the same people, another's signature, what is no request.
    let later = cast.roster(&own, &RosterRequest { serial: 2, ..ask.clone() });
    assert_eq!(refused(&later, &request), CheckError::Shape("request.roster").into());
    let read = Document::<CosignRequest>::read(&request).unwrap();
    let stranger = envelope::write(&read.header, &read.body, &[&cast.bank.signing]).unwrap();
    assert_eq!(refused(&roster, &stranger), CheckError::Signer("request").into());
    assert!(matches!(refused(&roster, &roster), CosignError::Decode(DecodeError::WrongType { .. })));

    // Commitments that are not the roster's, though the centre signed them.
    let mut body = read.body.clone();
    body[40] ^= 1;
    let header = CosignRequest { body_sha256: Digest::of(&body), ..read.header.clone() };
    let other = envelope::write(&header, &body, &[&cast.centre.signing]).unwrap();
    assert_eq!(refused(&roster, &other), CheckError::Shape("request.commitments").into());
    // A seed for another roster.
    let header = CosignRequest {
        seed: Document::<CosignRequest>::read(&cast.request(&later, &own)).unwrap().header.seed,
        ..read.header.clone()
    };
    let moved = envelope::write(&header, &read.body, &[&cast.centre.signing]).unwrap();
    assert_eq!(refused(&roster, &moved), CheckError::Seal("request.seed").into());

    // Another agreement, one without a co-signer, another co-signer, its signing key with another's sealing key.
    let with = |agreement: &AgreementInForce, keys: &Keys| {
        rebuild(&roster, &request, agreement, &own, keys, sample::now()).unwrap_err()
    };
    let (agreement, township) = (cast.agreement(), &cast.township);
    let other = sample::signed(&cast.centre, &cast.bank, |terms| {
        terms.cosigner_key = Some(township.signing.public());
        terms.number = "协-2".parse().unwrap();
    });
    assert_eq!(with(&other.check(sample::today()).unwrap(), township), CheckError::WrongAgreement.into());
    assert_eq!(with(&sample::agreement(&cast.centre, &cast.bank), township), CosignError::OtherCosigner);
    assert_eq!(with(&agreement, &keys(22)), CosignError::OtherCosigner);
    let half = Keys { signing: keys(21).signing, opening: keys(22).opening };
    assert_eq!(with(&agreement, &half), CheckError::Seal("request.recipient").into());

    // Too late.
    let expires = ask.expires;
    let late = rebuild(&roster, &request, &agreement, &own, township, expires).unwrap_err();
    assert_eq!(late, CheckError::Expired("roster").into());
}

#[test]
fn a_request_is_made_for_the_named_co_signer_and_the_rosters_own_people() {
    let (cast, own) = (Cast::new(), list(&people(5)));
    let roster = cast.roster(&own, &sample::request(officers()));
    let make = |people: &Applicants, of: &Keys| {
        let (agreement, now) = (cast.agreement(), sample::now());
        make_request(&roster, &agreement, people, &cast.centre, &joining(of), now, &entropy(7)).unwrap_err()
    };
    assert_eq!(make(&own, &keys(22)), CosignError::OtherCosigner);
    assert_eq!(make(&list(&people(4)), &cast.township), PlanError::OtherApplicants.into());
    // What is sealed names nobody.
    let request = cast.request(&roster, &own);
    assert!(!request.windows(18).any(|bytes| bytes == number(1).as_bytes()));
    assert_eq!(request.len(), cast.request(&roster, &own).len());
}

/// A centre that lies to the township: it puts somebody beside the list, or gives the bank another key.
#[test]
fn a_roster_that_is_not_of_its_seed_is_refused() {
    let (cast, own) = (Cast::new(), list(&people(5)));
    let roster = cast.roster(&own, &sample::request(officers()));
    let good = Document::<Roster>::read(&roster).unwrap();
    let ticket = Ticket::open(&good.header, &cast.centre.opening).unwrap();
    let signed =
        |header: &Roster, body: &[u8]| envelope::write(header, body, &[&cast.centre.signing]).unwrap();

    // In the place of each entry in turn, the token of somebody who is not on the list.
    let prf = Prf::new(good.header.prf, TokenKey::from_bytes(&ticket.token_key()));
    let stranger = match protocol::subject::read(&number(90_000), protocol::subject::Hint::None).0 {
        protocol::subject::Outcome::Subjects((subject, None)) => prf.token(&subject).0,
        other => panic!("{other:?}"),
    };
    for at in 0..good.body.len() / ENTRY_BYTES {
        let mut entries: Vec<Vec<u8>> = good.body.chunks(ENTRY_BYTES).map(<[u8]>::to_vec).collect();
        entries[at][..16].copy_from_slice(&stranger);
        entries.sort();
        let body = entries.concat();
        let forged = signed(&Roster { body_sha256: Digest::of(&body), ..good.header.clone() }, &body);
        let refused = cast.rebuild(&forged, &cast.forged_request(&forged, &own), &own).unwrap_err();
        assert!(
            matches!(refused, CosignError::Differs(_) | CosignError::NotOfItsSeed("entries")),
            "{refused}"
        );
    }

    // Another key for the bank: its customers would be compared with something else.
    let to = cast.bank.opening.public();
    let info = Label::TokenKey.bytes(&[good.header.id.as_bytes(), good.header.agreement.as_bytes()]);
    let mut stream = Stream::new(Use::Roster, &entropy(9), &Digest::of(b""), b"");
    for key in [[7; 32], *ticket.token_key()] {
        let token_key = Base64(seal::seal(&to, &info, &key, &mut stream, "token_key").unwrap());
        let forged = signed(&Roster { token_key, ..good.header.clone() }, &good.body);
        let refused = cast.rebuild(&forged, &cast.request(&forged, &own), &own).unwrap_err();
        assert_eq!(refused, CosignError::NotOfItsSeed("token_key"));
    }
}
