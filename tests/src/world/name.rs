//! Names, and the ways in which institutions spell the same name (domain §3.2). Each spelling is chosen
//! together with the flag it must lead to (SPEC §3.5), so the flag is known without comparing.

use serde::Serialize;

use super::rng::Rng;

/// What comparing a row's name with the applicant's must give; the number is the bit in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NameFlag {
    /// Characters of the row's name are lost.
    NotCompared = 0,
    /// Character for character.
    Same = 1,
    /// After folding.
    Folded = 2,
    /// Another name.
    Different = 3,
}

/// A cell and the flag it leads to.
#[derive(Debug, Clone)]
pub(super) struct SpelledName {
    pub(super) cell: String,
    pub(super) flag: NameFlag,
}

const SURNAMES: [&str; 60] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何",
    "林", "罗", "高", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾", "肖", "田",
    "董", "袁", "潘", "于", "蒋", "蔡", "余", "杜", "叶", "程", "苏", "魏", "吕", "丁", "任", "沈", "姚",
    "卢", "姜", "崔", "钟", "谭", "欧阳", "诸葛", "司马", "上官",
];
const GIVEN: [&str; 96] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超",
    "秀", "霞", "平", "刚", "桂", "英", "华", "玉", "兰", "红", "梅", "建", "国", "志", "文", "斌", "宇",
    "浩", "凯", "鑫", "波", "辉", "鹏", "飞", "春", "燕", "琴", "云", "莲", "珍", "贞", "莉", "素", "淑",
    "惠", "珠", "翠", "雅", "芝", "萍", "凤", "洁", "琳", "兴", "福", "全", "德", "光", "荣", "成", "龙",
    "林", "海", "山", "仁", "波", "义", "宁", "贵", "清", "俊", "峰", "健", "世", "广", "昌", "铭", "祥",
    "才", "发", "武", "新", "利", "欣", "怡", "子", "涵", "梓", "轩",
];
const UYGHUR: [&str; 12] = [
    "阿依古丽",
    "古丽娜尔",
    "帕提古丽",
    "热依汗古丽",
    "艾山江",
    "吐尔逊",
    "买买提江",
    "阿不都热合曼",
    "努尔艾力",
    "麦合木提",
    "玉素甫江",
    "阿尔孜古丽",
];
const UYGHUR_FATHERS: [&str; 8] =
    ["买买提", "艾合买提", "阿不力孜", "吐尔地", "依明", "阿卜杜克热木", "努尔买买提", "司马义"];
/// Characters that GBK lacks; the last needs four bytes everywhere.
const RARE: [char; 3] = ['䶮', '㛃', '𫖯'];
const LATIN: [&str; 10] =
    ["JOHN", "MARIA", "PETER", "ANNA", "DAVID", "ELENA", "THOMAS", "LINH", "AHMED", "OLGA"];
const LATIN_LAST: [&str; 10] =
    ["SMITH", "GARCIA", "MUELLER", "IVANOVA", "JOHNSON", "ROSSI", "KOWALSKI", "NGUYEN", "HASSAN", "PETROVA"];

/// A surname.
pub(super) fn surname(rng: &mut Rng) -> &'static str {
    SURNAMES[rng.index(SURNAMES.len())]
}

/// A Chinese name with this surname: one given character in three, else two.
pub(super) fn chinese(rng: &mut Rng, surname: &str) -> String {
    let mut name = format!("{surname}{}", rng.pick(&GIVEN));
    if !rng.one_in(3) {
        name.push_str(rng.pick(&GIVEN));
    }
    name
}

/// A Chinese name that ends in a rare character.
pub(super) fn rare(rng: &mut Rng, surname: &str) -> String {
    format!("{surname}{}", rng.pick(&RARE))
}

/// A Uyghur name: own name, middle dot U+00B7, father's name.
pub(super) fn uyghur(rng: &mut Rng) -> String {
    format!("{}·{}", rng.pick(&UYGHUR), rng.pick(&UYGHUR_FATHERS))
}

/// A name in Latin letters.
pub(super) fn latin(rng: &mut Rng) -> String {
    format!("{} {}", rng.pick(&LATIN), rng.pick(&LATIN_LAST))
}

/// A customer's name, now and then one of the rarer kinds.
pub(super) fn any(rng: &mut Rng, surname: &str) -> String {
    match rng.below(200) {
        0..4 => rare(rng, surname),
        4..9 => uyghur(rng),
        9 => latin(rng),
        _ => chinese(rng, surname),
    }
}

/// A company's name; some have a comma.
pub(super) fn company(rng: &mut Rng) -> String {
    let end = rng.pick(&[
        "商贸有限公司",
        "建筑工程有限公司",
        "农业开发有限公司,分公司",
        "食品厂",
        "劳务有限责任公司",
    ]);
    format!("{}{}{}{end}", rng.pick(&["富顺", "自贡", "蜀南", "川江"]), rng.pick(&GIVEN), rng.pick(&GIVEN))
}

/// How an institution that knows the person spells `name`: mostly as it is.
pub(super) fn spell(rng: &mut Rng, name: &str) -> SpelledName {
    match rng.below(100) {
        0..82 => SpelledName { cell: name.to_owned(), flag: NameFlag::Same },
        82..85 => padded(rng, name),
        85..94 => folded(rng, name),
        94..98 => lossy(rng, name),
        _ => another(rng, name),
    }
}

/// White space around the name, which trimming removes; once in a while a line break.
fn padded(rng: &mut Rng, name: &str) -> SpelledName {
    let cell = match rng.below(4) {
        0 => format!("{name}  "),
        1 => format!(" {name}"),
        2 => format!("{name}\u{3000}"),
        _ => format!("{name}\n"),
    };
    SpelledName { cell, flag: NameFlag::Same }
}

/// The same name in another form, which folding removes.
fn folded(rng: &mut Rng, name: &str) -> SpelledName {
    let cell = if name.is_ascii() {
        let (first, last) = name.split_once(' ').unwrap_or((name, ""));
        match rng.below(4) {
            0 => format!("{last}, {first}"),
            1 => format!("{last} {first}"),
            2 => name.to_ascii_lowercase(),
            _ => name.chars().map(|c| if c == ' ' { c } else { fullwidth(c) }).collect(),
        }
    } else if name.contains('·') {
        let dot = rng.pick(&["•", "‧", "・", "．", ".", "∙", " · "]);
        name.replace('·', dot)
    } else {
        let mut characters = name.chars();
        let first: String = characters.by_ref().take(1).collect();
        let rest: String = characters.collect();
        match rng.below(5) {
            0 => format!("{first}\u{3000}{rest}"),
            1 => format!("{first} {rest}"),
            2 => format!("{name}（监护人）"),
            3 => format!("{name}(代)"),
            _ => format!("{first}\n{rest}"),
        }
    };
    SpelledName { cell, flag: NameFlag::Folded }
}

/// A name some of whose characters are lost: nothing can be said about it.
fn lossy(rng: &mut Rng, name: &str) -> SpelledName {
    let kept: String = name.chars().take(1).collect();
    let cell = match rng.below(5) {
        0 => format!("{kept}?"),
        1 => format!("{kept}\u{E123}"), // a bank's private character
        2 => format!("{kept}□"),
        3 => format!("{kept}*"),
        _ => String::new(),
    };
    SpelledName { cell, flag: NameFlag::NotCompared }
}

/// Another person's or an earlier name.
pub(super) fn another(rng: &mut Rng, name: &str) -> SpelledName {
    let surname = surname(rng);
    let given = if name.contains("建国") { "红梅" } else { "建国" };
    SpelledName { cell: format!("{surname}{given}"), flag: NameFlag::Different }
}

/// The full-width form of a printable ASCII character.
pub(super) fn fullwidth(c: char) -> char {
    match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c), // U+FF01 to U+FF5E
        c => c,
    }
}
