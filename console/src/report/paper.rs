//! A report as paper: in Chinese whatever the screen's language, since it is filed and signed in Chinese.

use protocol::Time;

use super::facts::{self, Facts, money};
use super::font::Fonts;
use super::sheet::{Column, Sheet, SheetError};
use crate::words::Words;

const T: Words = Words::Chinese;

/// Draws a report or suspension report as PDF.
///
/// # Errors
/// [`SheetError`].
pub fn draw(facts: &Facts, fonts: Fonts, made: Time) -> Result<Vec<u8>, SheetError> {
    let mut sheet = Sheet::new(fonts);
    let suspension = facts.kind == "suspension";
    let title = if suspension { T.t("paper.suspension_title") } else { T.t("paper.report_title") };
    sheet.title(title);
    sheet.subtitle(&T.fill("paper.number", &[("number", &facts.number), ("version", &facts.version)]));
    commission(&mut sheet, facts);
    members(&mut sheet, facts);
    if let Some(reason) = &facts.reason {
        sheet.heading(T.t("paper.reason"));
        sheet.paragraph(reason);
    }
    sources(&mut sheet, facts);
    if !suspension {
        findings(&mut sheet, facts);
        accounts(&mut sheet, facts);
        rules(&mut sheet, facts);
    }
    if let Some(objection) = &facts.objection {
        sheet.heading(T.t("paper.objection"));
        sheet.paragraph(&T.fill(
            "paper.objection_text",
            &[
                ("number", &objection.number),
                ("received", &objection.received),
                ("against", &objection.against),
            ],
        ));
        sheet.paragraph(&objection.outcome);
    }
    sheet.heading(T.t("paper.remarks"));
    let remarks = if suspension { T.t("paper.suspension_remarks") } else { T.t("paper.report_remarks") };
    for remark in remarks.split('|') {
        sheet.paragraph(remark);
    }
    let who = [T.t("paper.operator"), T.t("paper.reviewer"), T.t("paper.head")];
    sheet.signatures(
        &who,
        T.t("paper.seal"),
        &T.fill("paper.issued_on", &[("centre", &facts.centre), ("day", &facts.issued)]),
    );
    let foot = format!("{} 第 {} 版 · {}", facts.number, facts.version, facts.centre);
    sheet.finish(&format!("{title} {}", facts.number), &facts.centre, &foot, &facts.salt, made)
}

fn commission(sheet: &mut Sheet, facts: &Facts) {
    sheet.heading(T.t("paper.commission"));
    let income = facts.income.as_ref().map_or_else(|| "—".to_owned(), |(from, to)| format!("{from} 至 {to}"));
    sheet.facts(&[
        (T.t("paper.office"), facts.office.clone()),
        (T.t("paper.commission_number"), facts.commission.clone()),
        (T.t("paper.case"), facts.case.clone()),
        (T.t("paper.household"), facts.household.clone()),
        (T.t("paper.task"), T.of("task", &facts.task).to_owned()),
        (T.t("paper.as_of"), facts.as_of.clone()),
        (T.t("paper.income"), income),
        (T.t("paper.issued"), facts.issued.clone()),
    ]);
}

fn members(sheet: &mut Sheet, facts: &Facts) {
    sheet.heading(T.t("paper.members"));
    let columns = [
        Column::text(T.t("paper.no"), 0.6),
        Column::text(T.t("column.name"), 1.4),
        Column::text(T.t("column.number"), 2.1),
        Column::text(T.t("column.relation"), 1.2),
        Column::text(T.t("column.ring"), 1.0),
        Column::text(T.t("column.authorisation"), 2.3),
    ];
    let rows: Vec<Vec<String>> = (1..)
        .zip(&facts.members)
        .map(|(at, member)| {
            vec![
                at.to_string(),
                member.name.clone(),
                member.number.clone(),
                member.relation.clone(),
                T.of("ring", &member.ring.to_string()).to_owned(),
                member.authorisation.clone(),
            ]
        })
        .collect();
    sheet.table(&columns, &rows);
}

fn sources(sheet: &mut Sheet, facts: &Facts) {
    sheet.heading(T.t("paper.sources"));
    if facts.sources.is_empty() {
        sheet.paragraph(T.t("paper.no_sources"));
        return;
    }
    let columns = [
        Column::text(T.t("paper.no"), 0.6),
        Column::text(T.t("institution.one"), 2.6),
        Column::text(T.t("column.level"), 1.0),
        Column::text(T.t("paper.answer"), 1.2),
        Column::text(T.t("paper.data_day"), 1.4),
        Column::text(T.t("paper.coverage"), 2.8),
    ];
    let rows: Vec<Vec<String>> = (1..)
        .zip(&facts.sources)
        .map(|(at, source)| {
            vec![
                at.to_string(),
                source.name.clone(),
                T.of("level", &source.level).to_owned(),
                T.of("source", &source.state).to_owned(),
                source.data_day.clone().unwrap_or_else(|| "—".to_owned()),
                source.coverage.join("；"),
            ]
        })
        .collect();
    sheet.table(&columns, &rows);
}

fn findings(sheet: &mut Sheet, facts: &Facts) {
    sheet.heading(T.t("paper.findings"));
    if facts.findings.is_empty() {
        sheet.paragraph(T.t("paper.nothing_found"));
        return;
    }
    let columns = [
        Column::text(T.t("column.name"), 1.3),
        Column::text(T.t("institution.one"), 2.2),
        Column::text(T.t("paper.asset"), 1.2),
        Column::text(T.t("paper.balance_day"), 1.4),
        Column::figures(T.t("paper.accounts"), 0.7),
        Column::figures(T.t("paper.amount"), 1.9),
        Column::text(T.t("paper.notes"), 1.4),
    ];
    let name = |at: i64| {
        let member = usize::try_from(at - 1).ok().and_then(|at| facts.members.get(at));
        member.map(|member| member.name.clone()).unwrap_or_default()
    };
    let rows: Vec<Vec<String>> = facts
        .findings
        .iter()
        .map(|finding| {
            let days = finding.days.as_ref().map_or_else(
                || "—".to_owned(),
                |(oldest, newest)| {
                    if oldest == newest { newest.clone() } else { format!("{oldest} 至 {newest}") }
                },
            );
            vec![
                name(finding.member),
                finding.source.clone(),
                T.of("asset", &finding.kind).to_owned(),
                days,
                finding.accounts.to_string(),
                amount(&finding.currency, finding.minor),
                finding.notes.join("；"),
            ]
        })
        .collect();
    sheet.table(&columns, &rows);
    for ring in [1, 2] {
        let totals = facts.totals(ring);
        if totals.is_empty() {
            continue;
        }
        let sums: Vec<String> = totals
            .iter()
            .map(|(kind, currency, minor)| {
                format!("{} {}", T.of("asset", kind), amount(currency, Some(*minor)))
            })
            .collect();
        sheet.paragraph(
            &T.fill("paper.total", &[("ring", &T.of("ring", &ring.to_string())), ("sums", &sums.join("；"))]),
        );
    }
}

/// Single accounts, of those institutions that were asked for them.
fn accounts(sheet: &mut Sheet, facts: &Facts) {
    if facts.accounts.is_empty() {
        return;
    }
    sheet.heading(T.t("paper.account_list"));
    let columns = [
        Column::text(T.t("column.name"), 1.2),
        Column::text(T.t("institution.one"), 2.0),
        Column::text(T.t("paper.asset"), 0.9),
        Column::text(T.t("paper.account_number"), 1.2),
        Column::text(T.t("paper.product"), 1.6),
        Column::text(T.t("paper.balance_day"), 1.4),
        Column::figures(T.t("paper.amount"), 1.8),
    ];
    let rows: Vec<Vec<String>> = facts
        .accounts
        .iter()
        .map(|one| {
            let member = usize::try_from(one.member - 1).ok().and_then(|at| facts.members.get(at));
            let status = one.status.as_ref().map(|status| T.of("account_status", status));
            let product = [Some(one.product.as_str()).filter(|product| !product.is_empty()), status];
            vec![
                member.map(|member| member.name.clone()).unwrap_or_default(),
                one.source.clone(),
                T.of("asset", &one.kind).to_owned(),
                one.account.clone(),
                product.into_iter().flatten().collect::<Vec<_>>().join("，"),
                one.day.clone().unwrap_or_else(|| "—".to_owned()),
                amount(&one.currency, one.minor),
            ]
        })
        .collect();
    sheet.table(&columns, &rows);
    sheet.paragraph(T.t("paper.account_note"));
}

/// Amounts in yuan need no more words; others say their currency.
fn amount(currency: &str, minor: Option<i64>) -> String {
    match (minor, currency) {
        (None, _) => "—".to_owned(),
        (Some(minor), "CNY") => money(minor),
        (Some(minor), other) => format!("{other} {}", facts::amount(other, minor)),
    }
}

fn rules(sheet: &mut Sheet, facts: &Facts) {
    sheet.heading(T.t("paper.rules"));
    let Some(rules) = &facts.rules else {
        sheet.paragraph(T.t("paper.no_rules"));
        return;
    };
    sheet.paragraph(&T.fill("paper.rules_text", &[("name", &rules.name), ("version", &rules.version)]));
    if rules.flags.is_empty() {
        sheet.paragraph(T.t("paper.no_flags"));
    }
    for (at, flag) in (1..).zip(&rules.flags) {
        sheet.paragraph(&format!("{at}. {flag}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::facts::tests::example;
    use crate::report::facts::{Finding, Member};

    /// The text of a PDF, by poppler.
    pub(crate) fn text_of(pdf: &[u8]) -> String {
        use std::io::Write as _;
        let mut program = std::process::Command::new("pdftotext")
            .args(["-layout", "-", "-"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("pdftotext: {error}; install poppler-utils"));
        let (mut stdin, pdf) = (program.stdin.take().unwrap(), pdf.to_vec());
        let writer = std::thread::spawn(move || stdin.write_all(&pdf));
        let output = program.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    fn made() -> Time {
        "2026-11-20T01:02:03Z".parse().unwrap()
    }

    fn printed(facts: &Facts) -> String {
        let pdf = draw(facts, Fonts::of_this_machine().unwrap(), made()).unwrap();
        assert!(pdf.starts_with(b"%PDF-1.7"));
        // The conformance level stands in the metadata: PDF/A-2u.
        let says = |what: &[u8]| pdf.windows(what.len()).any(|window| window == what);
        assert!(says(b"pdfaid:part>2<") && says(b"pdfaid:conformance>U<"));
        if let Ok(path) = std::env::var("HEDUI_PAPER") {
            std::fs::write(format!("{path}/{}-{}.pdf", facts.number, facts.version), &pdf).unwrap();
        }
        text_of(&pdf)
    }

    #[test]
    fn the_paper_carries_the_true_figures() {
        // Poppler puts spaces where it sees some.
        let squeeze = |text: &str| text.split_whitespace().collect::<String>();
        let text = squeeze(&printed(&example()));
        for wanted in [
            "居民家庭经济状况核对报告",
            "BG2026-000001",
            "欧阳建国",
            "11010519491231002X",
            "第一银行股份有限公司",
            "1,234,567.89",
            "70,000.00",
            "500.05",
            "2026-10-20",
            "2026-1",
            "第1页共2页",
            "公章",
        ] {
            assert!(text.contains(wanted), "{wanted} not in {text}");
        }
        // Sums of each ring, apart.
        assert!(text.contains("1,234,577.89") && !text.contains("1,304,577.89"), "{text}");
    }

    #[test]
    fn what_people_typed_is_printed_and_never_read_as_anything_else() {
        let hostile = [
            "#let x = 1",
            "*粗* _斜_ `码`",
            "<b>张</b>&amp;",
            "$x^2$ \\ @ref",
            ") Tj /F1 9 Tf (",
            "%PDF-1.7 endstream endobj",
            "=HYPERLINK(1)",
        ];
        let mut facts = example();
        facts.members = hostile
            .iter()
            .map(|name| Member { name: (*name).to_owned(), ..facts.members[0].clone() })
            .collect();
        facts.office = "#import \"x\" (甲)".to_owned();
        let text: String = printed(&facts).split_whitespace().collect();
        for name in hostile.iter().chain([&"#import \"x\" (甲)"]) {
            // Cells are narrow: lines of one cell stand among those of the others.
            let longest = name.split_whitespace().max_by_key(|part| part.len()).unwrap();
            let head: String = longest.chars().take(4).collect();
            assert!(text.contains(&head), "{head} of {name} not in {text}");
        }
        facts.members[0].name = "张\u{202E}三\u{0}\u{E863}".to_owned();
        let text = printed(&facts);
        assert!(text.contains("张〓三〓〓") && text.contains("U+0000、U+202E、U+E863"), "{text}");
    }

    #[test]
    fn a_long_report_goes_on_over_pages_and_loses_no_row() {
        let mut facts = example();
        facts.number = "BG2026-000002".to_owned();
        facts.findings = (0..200)
            .map(|n| Finding {
                minor: Some(10_000_000 + n),
                notes: vec!["姓名与登记不一致".to_owned()],
                ..facts.findings[0].clone()
            })
            .collect();
        facts.sources[0].coverage = vec!["曳尾涂中，".repeat(200)];
        let text = printed(&facts);
        for n in 0..200 {
            assert!(text.contains(&money(10_000_000 + n)), "row {n}");
        }
        assert_eq!(text.matches('曳').count(), 200, "a cell higher than a page goes on");
        let pages = text.matches("共 ").count();
        assert!(pages > 8, "{pages}");
        assert!(text.matches("金额").count() >= pages - 5, "the head stands on each page of the table");
    }

    #[test]
    fn its_digest_can_t_be_guessed() {
        let fonts = Fonts::of_this_machine().unwrap();
        let one = draw(&example(), fonts.clone(), made()).unwrap();
        assert_eq!(one, draw(&example(), fonts.clone(), made()).unwrap(), "the same twice");
        let salted = Facts { salt: "11".repeat(16), ..example() };
        assert_ne!(one, draw(&salted, fonts, made()).unwrap());
    }

    #[test]
    fn a_suspension_says_why_and_no_figures() {
        let mut facts = example();
        facts.kind = "suspension".to_owned();
        facts.number = "ZZ2026-000001".to_owned();
        facts.reason = Some("等待补充材料".to_owned());
        let text = printed(&facts);
        assert!(text.contains("中止报告") && text.contains("等待补充材料"));
        assert!(!text.contains("1,234,567.89"), "{text}");
    }
}
