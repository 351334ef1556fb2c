//! The rows of an institution's file, one after the other: applicants among strangers, companies, and rows
//! that must be set aside. The same walk gives the truth and the file.

use std::collections::VecDeque;

use super::AS_OF;
use super::applicant::{self, Applicant};
use super::layout::Layout;
use super::name::{self, NameFlag, SpelledName};
use super::number::{self, Number, Register};
use super::rng::Rng;
use super::row::{Account, Owner, Reason, Row, Shape};
use super::spelling::{self, SpelledId};

/// Rows that wait until other customers have gone before them, so that a person's accounts lie apart.
const WAITING: usize = 64;

/// Walks through the customers of an institution.
pub(super) struct Customers<'a> {
    layout: &'static Layout,
    applicants: &'a [Applicant],
    register: &'a Register,
    rng: Rng,
    /// Places of the applicants who hold something here and did not come yet.
    holders: Vec<usize>,
    /// Customers to come, the holders included.
    left: usize,
    /// Strangers so far.
    strangers: usize,
    waiting: Vec<Row>,
    ready: VecDeque<Row>,
}

impl<'a> Customers<'a> {
    pub(super) fn new(
        seed: u64,
        layout: &'static Layout,
        applicants: &'a [Applicant],
        register: &'a Register,
        customers: usize,
    ) -> Self {
        let mut rng = Rng::new(seed, layout.code);
        let mut holders: Vec<usize> = (0..applicants.len())
            .filter(|i| (layout.may_hold)(&applicants[*i].number) && rng.percent(layout.holders_percent))
            .collect();
        rng.shuffle(&mut holders);
        holders.truncate(customers);
        let (waiting, ready) = (Vec::new(), VecDeque::new());
        Self { layout, applicants, register, rng, holders, left: customers, strangers: 0, waiting, ready }
    }

    /// The next customer's rows: the first is ready, the others wait.
    fn customer(&mut self) {
        let turn = self.rng.index(self.left) < self.holders.len();
        self.left -= 1;
        let rows = match self.holders.pop() {
            Some(index) if turn => self.applicant(index),
            Some(index) => {
                self.holders.push(index);
                self.stranger()
            }
            None => self.stranger(),
        };
        for (i, row) in rows.into_iter().enumerate() {
            if i == 0 {
                self.ready.push_back(row);
            } else {
                self.waiting.push(row);
            }
        }
        while self.waiting.len() > WAITING {
            let at = self.rng.index(self.waiting.len());
            self.ready.push_back(self.waiting.swap_remove(at));
        }
    }

    fn applicant(&mut self, index: usize) -> Vec<Row> {
        let person = &self.applicants[index];
        let accounts = (self.layout.accounts)(&mut self.rng);
        let several = accounts.len() > 1;
        let mut rows = Vec::with_capacity(accounts.len() + 1);
        for (i, account) in accounts.into_iter().enumerate() {
            let ordinal = u8::from(!person.former.is_empty() && self.rng.one_in(2));
            let number = person.numbers().nth(usize::from(ordinal)).unwrap_or(&person.number);
            let id = match i {
                0 if self.layout.habits.both_forms && several => spelling::old15(number),
                1 if self.layout.habits.both_forms => SpelledId::plain(&number.text),
                _ => spelling::spell(&mut self.rng, number, self.layout.habits),
            };
            let name = name::spell(&mut self.rng, &person.name);
            rows.push(self.row(Owner::Applicant { index, ordinal }, id, number, name, account));
        }
        if self.rng.one_in(60) {
            // Another customer under the same number: counted, and flagged by the name.
            let name = name::another(&mut self.rng, &person.name);
            let (id, account) = (SpelledId::plain(&person.number.text), self.one_account());
            let owner = Owner::Applicant { index, ordinal: 0 };
            rows.push(self.row(owner, id, &person.number, name, account));
        }
        if self.rng.one_in(40) {
            // A row with a cell too many: set aside, whoever it belongs to.
            let (id, account) = (SpelledId::plain(&person.number.text), self.full_account());
            let name = SpelledName { cell: person.name.clone(), flag: NameFlag::Same };
            let owner = Owner::SetAside(Reason::Ragged);
            rows.push(Row { shape: Shape::Long, ..self.row(owner, id, &person.number, name, account) });
        }
        rows
    }

    /// Somebody nobody asked about; every so often no person or not fit for use.
    fn stranger(&mut self) -> Vec<Row> {
        let place = self.strangers % 1_000;
        self.strangers += 1;
        let number = self.register.stranger(|| {
            let area = number::area(&mut self.rng);
            applicant::citizen(&mut self.rng, area)
        });
        let surname = name::surname(&mut self.rng);
        let person = name::any(&mut self.rng, surname);
        if place % 50 == 25 {
            return vec![self.company()];
        }
        if let Some((reason, shape, cell)) = self.unfit(place, &number.text) {
            let name = SpelledName { cell: person, flag: NameFlag::Same };
            let account = self.full_account();
            let id = SpelledId::plain(cell);
            return vec![Row { shape, ..self.row(Owner::SetAside(reason), id, &number, name, account) }];
        }
        let accounts = (self.layout.accounts)(&mut self.rng);
        let mut rows = Vec::with_capacity(accounts.len());
        for account in accounts {
            let id = spelling::spell(&mut self.rng, &number, self.layout.habits);
            let name = name::spell(&mut self.rng, &person);
            rows.push(self.row(Owner::Stranger, id, &number, name, account));
        }
        rows
    }

    /// The rows to be set aside: nine strangers in a thousand, all of them early so that small worlds have them.
    fn unfit(&mut self, place: usize, text: &str) -> Option<(Reason, Shape, String)> {
        let rng = &mut self.rng;
        Some(match place {
            10 => (Reason::CheckDigit, Shape::Whole, bad_check(text)),
            36 => (Reason::Empty, Shape::Whole, String::new()),
            60 => (Reason::Placeholder, Shape::Whole, "999999999999999999".to_owned()),
            85 => (Reason::Placeholder, Shape::Whole, "0".to_owned()),
            110 => (Reason::Ragged, Shape::Short, text.to_owned()),
            135 => (Reason::Ragged, Shape::Long, text.to_owned()),
            160 => (
                Reason::Length,
                Shape::Whole,
                rng.pick(&["5103221980010100", "51032219800101001", "5103221980010100123"]).to_string(),
            ),
            185 => (Reason::Date, Shape::Whole, bad_date(rng)),
            210 => (Reason::Format, Shape::Whole, rng.pick(&["不详", "无证件", "见附件"]).to_string()),
            _ => return None,
        })
    }

    fn company(&mut self) -> Row {
        let code = number::credit_code(&mut self.rng);
        let name = SpelledName { cell: name::company(&mut self.rng), flag: NameFlag::Same };
        let account = self.one_account();
        let paper = self.rng.pick(&["统一社会信用代码", "营业执照", "其他"]);
        Row { owner: Owner::Company, id: SpelledId::plain(code), paper, name, account, shape: Shape::Whole }
    }

    fn one_account(&mut self) -> Account {
        let mut accounts = (self.layout.accounts)(&mut self.rng);
        accounts.swap_remove(0) // every layout gives at least one
    }

    /// An account with its date, so that no row of odd length ends in an empty cell, which means nothing.
    fn full_account(&mut self) -> Account {
        Account { date: Some(AS_OF), ..self.one_account() }
    }

    fn row(
        &mut self,
        owner: Owner,
        id: SpelledId,
        number: &Number,
        name: SpelledName,
        account: Account,
    ) -> Row {
        // A citizen's document may be called many things; its number says what it is.
        let paper = match number.is_citizen() {
            true => {
                self.rng.pick(&["身份证", "居民身份证", "居民身份证", "居民身份证", "户口簿", "临时身份证"])
            }
            false => number.paper(),
        };
        Row { owner, id, paper, name, account, shape: Shape::Whole }
    }
}

impl Iterator for Customers<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        while self.ready.is_empty() && self.left > 0 {
            self.customer();
        }
        self.ready.pop_front().or_else(|| self.waiting.pop())
    }
}

/// A check character that fits neither a person nor a company.
pub(super) fn bad_check(text: &str) -> String {
    let (body, last) = text.split_at(17);
    let fits = |c: char| last.starts_with(c) || number::mod_31_3(body) == Some(c);
    let wrong = ('0'..='9').find(|c| !fits(*c)).unwrap_or('0'); // at most two of ten fit
    format!("{body}{wrong}")
}

/// A thirteenth month, with a fitting check character that no company's code has.
fn bad_date(rng: &mut Rng) -> String {
    loop {
        let text = Number::resident(number::area(rng), 19801315, rng.between(1, 995)).text;
        let (body, last) = text.split_at(17);
        if !number::mod_31_3(body).is_some_and(|c| last.starts_with(c)) {
            return text;
        }
    }
}
