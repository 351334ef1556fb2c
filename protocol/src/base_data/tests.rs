//! Known answers from before tables were sealed in two passes, the passes, and what is refused.

use super::*;
use crate::agreement::{Agreement, Centre, Institution};
use crate::roster::{Level, PrfName, SuiteName};
use proptest::prelude::*;

fn stream(n: u8) -> Stream {
    Stream::new(Use::KeyFile, &Entropy::new(&[n; 32]).unwrap(), &Digest::of(b""), b"")
}

fn signing(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}

fn agreement(centre: &OpeningKey) -> AgreementInForce {
    let terms = Agreement {
        approval_required: false,
        approver_keys: Vec::new(),
        centre: Centre {
            code: "centre-1".parse().unwrap(),
            name: "中心".parse().unwrap(),
            sealing_key: centre.public(),
            signing_key: signing(1).public(),
        },
        compliance_key: None,
        cosigner_key: None,
        fields: Vec::new(),
        institution: Institution {
            code: "housing".parse().unwrap(),
            kind: InstitutionKind::Department,
            name: "住建局".parse().unwrap(),
            sealing_key: centre.public(),
            signing_key: signing(3).public(),
        },
        level: Level::L1,
        number: "1".parse().unwrap(),
        page_sha256: None,
        prfs: vec![PrfName::Blake3],
        purpose: "核对".parse().unwrap(),
        suites: vec![SuiteName::Keyed],
        valid_from: "2026-01-01".parse().unwrap(),
        valid_to: "2026-12-31".parse().unwrap(),
    };
    AgreementInForce { terms, digest: Digest([7; 32]) }
}

fn sealed(centre: &OpeningKey, file: &[u8]) -> Vec<u8> {
    let (day, created) = ("2026-10-31".parse().unwrap(), "2026-11-02T01:00:00Z".parse::<Time>().unwrap());
    seal(&agreement(centre), &signing(2), day, created, file, &Entropy::new(&[5; 32]).unwrap()).unwrap()
}

fn opened(centre: &OpeningKey, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
    open(Document::read(bytes)?, centre).map(|file| file.to_vec())
}

#[test]
fn what_was_sealed_is_opened_and_its_size_is_one_of_few() {
    let centre = OpeningKey::make(&mut stream(1));
    let sizes: Vec<usize> = [1, 1_000, CHUNK - 8, CHUNK - 7, 3 * CHUNK, 4 * CHUNK]
        .map(|n| {
            let file = vec![b'x'; n];
            let bytes = sealed(&centre, &file);
            assert!(opened(&centre, &bytes).unwrap() == file, "{n}");
            bytes.len() / CHUNK
        })
        .into();
    assert_eq!(sizes, [1, 1, 1, 2, 4, 6]);
    assert_eq!(sealed(&centre, b"a").len(), sealed(&centre, &[b'b'; 60_000]).len());
    assert!(!sealed(&centre, b"510322199003071234").windows(18).any(|w| w == b"510322199003071234"));
    assert_eq!((class(3_072), class(3_073)), (Some(3_072), None));
}

/// Made by the code that sealed whole files, before there were two passes.
#[test]
fn known_answers() {
    let centre = OpeningKey::make(&mut stream(1));
    for (length, digest) in [
        (1, "abef6fd961fbda8284df8fde905325f7ad575b357efb7090698755198e6d755c"),
        (CHUNK - 8, "7eb2ef41795beea413ec1047677aebd1833fa22ffc92aab82cb72e9d22c626e6"),
        (CHUNK - 7, "46f2fe70e38f5a31eee69e4c99b7fa793c0ccbdd0514525afb0e67c80a054fab"),
        (5 * CHUNK + 77, "d8d3ffe27a04bb58b46cd73c864a00de04c43c8f497aaa872acdf3e495a5022d"),
    ] {
        let file: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
        assert_eq!(Digest::of(&sealed(&centre, &file)).to_string(), digest, "{length}");
    }
}

/// Both passes over `first` and `second`, in pieces of `piece` bytes.
fn in_passes(
    centre: &OpeningKey,
    length: usize,
    [first, second]: [&[u8]; 2],
    piece: usize,
) -> Result<Vec<u8>, SealError> {
    let (day, created) = ("2026-10-31".parse().unwrap(), "2026-11-02T01:00:00Z".parse::<Time>().unwrap());
    let mut pass = FirstPass::begin(&agreement(centre), signing(2), day, created, length as u64)?;
    first.chunks(piece).try_for_each(|piece| pass.push(piece))?;
    let mut pass = pass.finish(&Entropy::new(&[5; 32]).unwrap())?;
    let (head_bytes, mut body) = (pass.head_bytes()?, Vec::new());
    for piece in second.chunks(piece) {
        body.extend(pass.push(piece)?);
    }
    loop {
        let padding = pass.pad()?;
        if padding.is_empty() {
            break;
        }
        assert_eq!(padding.len(), CHUNK + TAG);
        body.extend(padding);
    }
    let head = pass.finish()?;
    assert_eq!(head.len(), head_bytes);
    Ok([head, body].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn pieces_of_any_size_give_the_same_bytes(
        file in proptest::collection::vec(any::<u8>(), 1..3 * CHUNK),
        piece in 1_000_usize..2 * CHUNK,
    ) {
        let centre = OpeningKey::make(&mut stream(1));
        let whole = sealed(&centre, &file);
        prop_assert!(in_passes(&centre, file.len(), [&file, &file], piece).unwrap() == whole);
        prop_assert!(opened(&centre, &whole).unwrap() == file);
    }
}

/// What was sealed of the file before the change is what would have been sealed without it, and nothing follows.
#[test]
fn a_file_that_changes_between_the_passes_is_refused() {
    let centre = OpeningKey::make(&mut stream(1));
    let file = vec![7; 3 * CHUNK];
    let good = in_passes(&centre, file.len(), [&file, &file], 999).unwrap();
    assert!(good == sealed(&centre, &file));
    let changed = |at: usize| {
        let mut other = file.clone();
        other[at] ^= 1;
        other
    };
    let longer = [&file[..], b"x"].concat();
    for (first, second) in [
        (file.clone(), changed(0)),
        (file.clone(), changed(CHUNK)),
        (file.clone(), changed(file.len() - 1)),
        (file.clone(), file[1..].to_vec()),
        (file.clone(), longer.clone()),
        (longer, file.clone()),
        (file[1..].to_vec(), file.clone()),
    ] {
        let refused = in_passes(&centre, file.len(), [&first, &second], 999);
        assert_eq!(refused, Err(CheckError::Changed("file").into()));
    }
    // A head is not given before the whole body.
    let (day, created) = ("2026-10-31".parse().unwrap(), "2026-11-02T01:00:00Z".parse::<Time>().unwrap());
    let mut pass = FirstPass::begin(&agreement(&centre), signing(2), day, created, 4 * 65_536).unwrap();
    pass.push(&[1; 4 * CHUNK]).unwrap();
    let mut pass = pass.finish(&Entropy::new(&[5; 32]).unwrap()).unwrap();
    pass.push(&[1; 4 * CHUNK]).unwrap();
    assert_eq!(pass.finish().unwrap_err(), DecodeError::Truncated("body").into());
}

#[test]
fn only_a_department_seals_and_no_day_to_come() {
    let centre = OpeningKey::make(&mut stream(1));
    let begin = |kind, day: &str, created: &str, length| {
        let mut agreement = agreement(&centre);
        agreement.terms.institution.kind = kind;
        let created = created.parse::<Time>().unwrap();
        FirstPass::begin(&agreement, signing(2), day.parse().unwrap(), created, length).map(drop)
    };
    let department = InstitutionKind::Department;
    // Four in the afternoon in UTC is midnight in China.
    assert_eq!(begin(department, "2026-11-02", "2026-11-01T16:00:00Z", 1), Ok(()));
    let early = begin(department, "2026-11-02", "2026-11-01T15:59:59Z", 1);
    assert_eq!(early, Err(CheckError::DayToCome.into()));
    let bank = begin(InstitutionKind::Bank, "2026-10-31", "2026-11-02T01:00:00Z", 1);
    assert_eq!(bank, Err(CheckError::NotADepartment.into()));
    let most = u64::try_from(MAX_FILE_BYTES).unwrap();
    let sized = |length| begin(department, "2026-10-31", "2026-11-02T01:00:00Z", length);
    assert_eq!(sized(0), Err(DecodeError::Truncated("file").into()));
    assert_eq!(sized(most), Ok(()));
    for length in [most + 1, u64::MAX] {
        assert_eq!(sized(length), Err(DecodeError::TooLarge("file").into()));
    }
}

#[test]
fn another_key_and_every_altered_part_are_refused() {
    let centre = OpeningKey::make(&mut stream(1));
    let other = OpeningKey::make(&mut stream(2));
    let good = sealed(&centre, b"name,number\n");
    assert_eq!(opened(&other, &good).unwrap_err(), CheckError::Seal("recipient").into());
    assert_eq!(opened(&centre, &good[..good.len() - 1]), Err(DecodeError::Truncated("body").into()));
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(opened(&centre, &longer), Err(DecodeError::Trailing("body").into()));
    for at in [good.len() - 1, good.len() - CHUNK, good.len() - CHUNK - 60] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(opened(&centre, &bad), Err(DecodeError::Body.into()), "{at}");
    }
    // One who signs anew what another sealed does not open it either: the signer is bound in.
    let document = Document::<BaseData>::read(&good).unwrap();
    let stolen = envelope::write(&document.header, &document.body, &[&signing(9)]).unwrap();
    assert_eq!(opened(&centre, &stolen).unwrap_err(), CheckError::Seal("content key").into());
}
