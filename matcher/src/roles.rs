//! What a column is for, guessed from its heading (SPEC §5.2, `docs/SPEC.md` §10 lists the roles).

use protocol::json::{FromJson, ToJson, Value};
use protocol::slot::AssetKind;

use crate::cell::Unit;

/// The role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Identity number: the one column that must be there.
    IdNumber,
    /// Kind of document.
    IdKind,
    /// Customer's name.
    Name,
    /// Account number.
    Account,
    /// How many accounts a customer's row stands for.
    AccountCount,
    /// Currency.
    Currency,
    /// Balance date.
    BalanceDate,
    /// Product or account type.
    Product,
    /// State of the account.
    Status,
    /// Amount; of this kind where the heading says so.
    Amount(Option<AssetKind>),
}

impl Role {
    /// The name in options and coverage statements.
    pub fn name(self) -> String {
        match self {
            Self::IdNumber => "id_number".into(),
            Self::IdKind => "id_kind".into(),
            Self::Name => "name".into(),
            Self::Account => "account".into(),
            Self::AccountCount => "account_count".into(),
            Self::Currency => "currency".into(),
            Self::BalanceDate => "balance_date".into(),
            Self::Product => "product".into(),
            Self::Status => "status".into(),
            Self::Amount(None) => "amount".into(),
            Self::Amount(Some(kind)) => format!("amount:{}", kind.name()),
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        let singles = [
            Self::IdNumber,
            Self::IdKind,
            Self::Name,
            Self::Account,
            Self::AccountCount,
            Self::Currency,
            Self::BalanceDate,
            Self::Product,
            Self::Status,
            Self::Amount(None),
        ];
        let kinds = AssetKind::ALL.into_iter().filter(|kind| *kind != AssetKind::Other);
        let amounts = kinds.map(|kind| Self::Amount(Some(kind)));
        singles.into_iter().chain(amounts).find(|role| role.name() == name)
    }
}

impl FromJson for Role {
    fn from_json(value: &Value) -> Option<Self> {
        Self::from_name(value.as_str()?)
    }
}

impl ToJson for Role {
    fn to_json(&self) -> Value {
        Value::String(self.name())
    }
}

/// A heading made comparable, and the unit it names: blanks and brackets gone, half-width, lower case.
fn tidy(heading: &str) -> (String, Option<Unit>) {
    let unit = if heading.contains("万元") { Some(Unit::TenThousand) } else { None };
    let half: String = heading
        .chars()
        .map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            c => c,
        })
        .collect();
    let bare = half.split(['(', '[', '【']).next().unwrap_or_default();
    let tidied: String = bare
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\u{FEFF}' | '\u{200B}' | '_' | '-' | '*' | ':' | '.'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    (tidied.replace('帐', "账"), unit)
}

/// The role and unit of a heading, when it is one of those that are known.
pub fn guess(heading: &str) -> (Option<Role>, Unit) {
    let (tidied, unit) = tidy(heading);
    let role = KNOWN.iter().find(|(_, names)| names.contains(&tidied.as_str())).map(|(role, _)| *role);
    (role, unit.unwrap_or_default())
}

const KNOWN: &[(Role, &[&str])] = &[
    (
        Role::IdNumber,
        &[
            "证件号码",
            "证件号",
            "证件编号",
            "证件代码",
            "身份证号",
            "身份证号码",
            "身份证",
            "身份证件号码",
            "身份证件号",
            "公民身份号码",
            "公民身份证号码",
            "居民身份证号码",
            "身份号码",
            "客户证件号码",
            "客户证件号",
            "开户证件号码",
            "开户证件号",
            "个人证件号码",
            "持有人证件号码",
            "投资者证件号码",
            "idno",
            "idnumber",
            "id",
            "idcard",
            "idcardno",
            "idcardnumber",
            "identitynumber",
            "identityno",
            "certno",
            "certnumber",
            "certificatenumber",
            "certificateno",
            "documentnumber",
        ],
    ),
    (
        Role::IdKind,
        &[
            "证件类型",
            "证件种类",
            "证件类别",
            "证件名称",
            "客户证件类型",
            "开户证件类型",
            "身份证件类型",
            "idtype",
            "idkind",
            "certtype",
            "certificatetype",
            "documenttype",
        ],
    ),
    (
        Role::Name,
        &[
            "姓名",
            "户名",
            "客户名称",
            "客户姓名",
            "名称",
            "名字",
            "账户名称",
            "账户姓名",
            "开户人姓名",
            "开户人",
            "持有人姓名",
            "持有人名称",
            "投资者姓名",
            "投资者名称",
            "存款人",
            "存款人姓名",
            "name",
            "fullname",
            "customername",
            "accountname",
            "clientname",
        ],
    ),
    (
        Role::Account,
        &[
            "账号",
            "账户",
            "账户号",
            "账户号码",
            "卡号",
            "客户账号",
            "银行账号",
            "存款账号",
            "结算账号",
            "介质号",
            "一码通账户",
            "一码通",
            "一码通号",
            "资金账号",
            "资金账户",
            "证券账户",
            "证券账号",
            "股东账号",
            "account",
            "accountno",
            "accountnumber",
            "cardno",
            "cardnumber",
        ],
    ),
    (Role::AccountCount, &["账户数", "账户数量", "账户个数", "户数", "accounts", "accountcount"]),
    (
        Role::Currency,
        &[
            "币种",
            "币别",
            "货币",
            "货币种类",
            "货币代码",
            "币种代码",
            "币种名称",
            "currency",
            "ccy",
            "currencycode",
        ],
    ),
    (
        Role::BalanceDate,
        &[
            "余额日期",
            "日期",
            "数据日期",
            "市值日期",
            "截止日期",
            "统计日期",
            "查询日期",
            "余额时点",
            "时点",
            "核对时点",
            "余额日",
            "估值日期",
            "date",
            "balancedate",
            "asof",
            "asofdate",
            "valuationdate",
        ],
    ),
    (
        Role::Product,
        &[
            "产品名称",
            "产品",
            "产品类型",
            "产品种类",
            "账户类型",
            "账户种类",
            "账户类别",
            "账户性质",
            "存款种类",
            "存款类型",
            "储种",
            "业务种类",
            "业务品种",
            "业务类型",
            "资产类型",
            "product",
            "productname",
            "producttype",
            "accounttype",
            "assettype",
        ],
    ),
    (Role::Status, &["账户状态", "状态", "账户状况", "户状态", "卡状态", "status", "accountstatus"]),
    (
        Role::Amount(None),
        &[
            "余额",
            "账户余额",
            "当前余额",
            "时点余额",
            "期末余额",
            "金额",
            "账面余额",
            "资产余额",
            "评估价值",
            "评估金额",
            "缴存余额",
            "缴费金额",
            "发放金额",
            "申报收入",
            "实缴税额",
            "balance",
            "amount",
            "currentbalance",
            "accountbalance",
        ],
    ),
    (
        Role::Amount(Some(AssetKind::Deposit)),
        &[
            "存款余额",
            "存款金额",
            "存款合计",
            "存款总额",
            "存款金额合计",
            "储蓄余额",
            "活期余额",
            "定期余额",
            "depositbalance",
            "deposits",
        ],
    ),
    (
        Role::Amount(Some(AssetKind::Wealth)),
        &["理财余额", "理财金额", "理财市值", "理财产品余额", "理财产品市值", "wealthbalance"],
    ),
    (
        Role::Amount(Some(AssetKind::Fund)),
        &["基金市值", "基金余额", "基金金额", "基金市值总金额", "场外基金市值", "fundvalue"],
    ),
    (Role::Amount(Some(AssetKind::Bond)), &["债券余额", "债券总金额", "债券市值", "国债余额", "bondvalue"]),
    (
        Role::Amount(Some(AssetKind::Stock)),
        &["股票市值", "证券市值", "股票市值总金额", "持仓市值", "stockvalue", "marketvalue"],
    ),
    (
        Role::Amount(Some(AssetKind::Cash)),
        &["资金余额", "资金总余额", "可用资金", "资金", "现金余额", "cashbalance"],
    ),
    (
        Role::Amount(Some(AssetKind::Insurance)),
        &["保险金额", "保单现金价值", "现金价值", "保险余额", "cashvalue"],
    ),
    (Role::Amount(Some(AssetKind::Metal)), &["贵金属余额", "黄金余额", "贵金属市值", "积存金余额"]),
    (Role::Amount(Some(AssetKind::Loan)), &["贷款余额", "贷款金额", "loanbalance"]),
    (
        Role::Amount(Some(AssetKind::CreditCard)),
        &["信用卡余额", "信用卡欠款", "信用卡透支余额", "透支余额", "透支金额"],
    ),
    (
        Role::Amount(Some(AssetKind::Margin)),
        &["融资负债", "融资余额", "融资融券负债", "两融负债", "信用负债", "margindebt"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::coverage::COLUMN_ROLES;

    #[test]
    fn headings() {
        assert_eq!(guess("证件号码").0, Some(Role::IdNumber));
        assert_eq!(guess(" ID_Number ").0, Some(Role::IdNumber));
        assert_eq!(guess("余额（元）"), (Some(Role::Amount(None)), Unit::One));
        assert_eq!(
            guess("存款余额(万元)"),
            (Some(Role::Amount(Some(AssetKind::Deposit))), Unit::TenThousand)
        );
        assert_eq!(guess("帐号").0, Some(Role::Account));
        assert_eq!(guess("客户经理").0, None);
    }

    #[test]
    fn roles_are_those_that_a_coverage_statement_may_name() {
        for name in COLUMN_ROLES {
            assert_eq!(Role::from_name(name).map(Role::name).as_deref(), Some(name));
        }
        for (role, _) in KNOWN {
            assert!(COLUMN_ROLES.contains(&role.name().as_str()));
        }
        assert_eq!(Role::from_name("amount:other"), None);
    }

    #[test]
    fn every_role_has_a_name_of_its_own_and_no_heading_two_roles() {
        let mut seen = std::collections::BTreeMap::new();
        for (role, names) in KNOWN {
            assert_eq!(Role::from_name(&role.name()), Some(*role));
            for name in *names {
                assert_eq!(seen.insert(*name, role), None, "{name} stands twice");
                assert_eq!(guess(name).0, Some(*role), "{name} is not in its tidy form");
            }
        }
    }
}
