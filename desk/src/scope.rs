//! What an authorisation form allows, as one text: kinds of institutions and the level, `bank,securities:L1`. Desk and
//! township write it alike, whatever words their tables have: a roster commits to it (SPEC §7).

use protocol::joining::InstitutionKind;
use protocol::roster::Level;

const KINDS: [(&str, InstitutionKind); 5] = [
    ("银行", InstitutionKind::Bank),
    ("证券", InstitutionKind::Securities),
    ("保险", InstitutionKind::Insurance),
    ("支付", InstitutionKind::Payment),
    ("部门", InstitutionKind::Department),
];
const LEVELS: [(&str, Level); 3] = [("有无", Level::L0), ("合计", Level::L1), ("明细", Level::L2)];

/// The kinds of institutions that a cell names, as documents spell them and in one order: `银行、证券`, or `全部`.
/// `None` for a word that is none of them.
pub fn read_kinds(cell: &str) -> Option<Vec<&'static str>> {
    let named = |part: &str| KINDS.iter().position(|(word, kind)| *word == part || kind.word() == part);
    let parts = cell.split(['、', ',', '，', '/', '+']).map(str::trim).filter(|part| !part.is_empty());
    let places: Option<Vec<usize>> =
        if cell == "全部" { Some((0..KINDS.len()).collect()) } else { parts.map(named).collect() };
    let places = places.filter(|places| !places.is_empty())?;
    let kinds = (0_usize..).zip(KINDS).filter(|(place, _)| places.contains(place));
    Some(kinds.map(|(_, (_, kind))| kind.word()).collect())
}

/// The words for a level, least first.
pub fn level_words() -> [&'static str; 3] {
    LEVELS.map(|(word, _)| word)
}

/// The level that a cell names: `合计`, or as documents spell it.
pub fn read_level(cell: &str) -> Option<Level> {
    LEVELS.iter().find(|(word, level)| *word == cell || level.word() == cell).map(|(_, level)| *level)
}

/// The one text of the cells of kinds and level; `None` when one of them says something else.
pub fn text(kinds: &str, level: &str) -> Option<String> {
    Some(format!("{}:{}", read_kinds(kinds)?.join(","), read_level(level)?.word()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_are_one_text() {
        for (kinds, level) in [("银行、证券", "合计"), ("证券, 银行/银行", "L1"), ("securities,bank", "合计")]
        {
            assert_eq!(text(kinds, level).as_deref(), Some("bank,securities:L1"), "{kinds}");
        }
        assert_eq!(text("全部", "明细").as_deref(), Some("bank,securities,insurance,payment,department:L2"));
        for (kinds, level) in
            [("当铺", "合计"), ("银行、当铺", "合计"), ("", "合计"), ("银行", ""), ("银行", "L3")]
        {
            assert_eq!(text(kinds, level), None, "{kinds} {level}");
        }
    }
}
