//! What is expected of each file: the counts, and of how many people the centre reads what is true. Two files may say
//! less: of `odd_cells` three numbers are none and two names are others.

use super::Case;

pub(super) const CASES: &[Case] = &[
    // As LibreOffice and SheetJS write them.
    ("lo.fods", "40 rows, 40 valid; found 10, 10 of them right"),
    ("lo.html", "40 rows, 40 valid; found 10, 10 of them right"),
    ("lo.ods", "40 rows, 40 valid; found 10, 10 of them right"),
    ("lo.xls", "40 rows, 40 valid; found 10, 10 of them right"),
    ("lo.xlsx", "40 rows, 40 valid; found 10, 10 of them right"),
    ("lo_gb18030.csv", "40 rows, 40 valid; found 10, 10 of them right"),
    ("lo_utf16.csv", "40 rows, 40 valid; found 10, 10 of them right"),
    ("sheetjs.ods", "40 rows, 40 valid; found 10, 10 of them right"),
    // Its cells have no columns of their own, which calamine passes over: refused, and nothing lost in silence.
    ("sheetjs.xlsb", "refused: spreadsheet_unknown"),
    ("sheetjs.xlsx", "40 rows, 40 valid; found 10, 10 of them right"),
    ("xml2003.xls", "40 rows, 40 valid; found 10, 10 of them right"),
    // Names that lie.
    ("csv_named.xls", "40 rows, 40 valid; found 10, 10 of them right"),
    ("html_named.xls", "40 rows, 40 valid; found 10, 10 of them right"),
    ("page_gbk.xls", "40 rows, 40 valid; skipped footer 1; found 10, 10 of them right"),
    ("page_mht.xls", "refused: spreadsheet_unknown"),
    ("page_pandas.xls", "40 rows, 40 valid; found 10, 10 of them right"),
    ("xlsx_named.csv", "40 rows, 40 valid; found 10, 10 of them right"),
    // Titles, footers, several and hidden sheets, odd cells.
    ("empty.xlsx", "refused: empty_file"),
    ("no_customers.xlsx", "refused: no_id_column"),
    (
        "odd_cells.xlsx",
        "40 rows, 37 valid; quarantined date 1 empty 1 length 1; normalised fullwidth 1 spaces 1 wrapped 1; found 7, 5 of them right",
    ),
    ("rich_text.xlsx", "40 rows, 40 valid; found 10, 10 of them right"),
    ("second_sheet_without_heading.xlsx", "refused: no_id_column sheet 2"),
    (
        "several_sheets.ods",
        "40 rows, 40 valid; sheet_passed_over 2; sheet_hidden 1; found 10, 10 of them right",
    ),
    (
        "several_sheets.xls",
        "40 rows, 40 valid; sheet_passed_over 2; sheet_hidden 1; found 10, 10 of them right",
    ),
    (
        "several_sheets.xlsx",
        "40 rows, 40 valid; sheet_passed_over 2; sheet_hidden 1; found 10, 10 of them right",
    ),
    (
        "titles_and_footers.ods",
        "40 rows, 40 valid; skipped footer 2 repeated_header 1; found 10, 10 of them right",
    ),
    (
        "titles_and_footers.xls",
        "40 rows, 40 valid; skipped footer 2 repeated_header 1; found 10, 10 of them right",
    ),
    (
        "titles_and_footers.xlsx",
        "40 rows, 40 valid; skipped footer 2 repeated_header 1; found 10, 10 of them right",
    ),
    // Dates, numbers, the end of a sheet; a full sheet has each of the forty many times.
    ("dates_1900.xlsx", "40 rows, 40 valid; found 10, 10 of them right"),
    ("dates_1904.xlsx", "40 rows, 40 valid; found 10, 10 of them right"),
    ("plain.xlsx", "40 rows, 40 valid; found 10, 10 of them right"),
    ("xlwt.xls", "40 rows, 40 valid; found 10, 10 of them right"),
    ("xlwt_full.xls", "65535 rows, 65535 valid; sheet_full 1; found 10, 0 of them right"),
    // Numbers that a program has damaged, and old ones that it can't.
    ("numbers_15.xlsx", "40 rows, 40 valid; normalised upgraded15 40; found 10, 10 of them right"),
    ("numbers_excel.html", "refused: column_scientific first_row 2 of 40 rows 37"),
    ("numbers_excel.ods", "refused: column_scientific first_row 2 of 40 rows 37"),
    ("numbers_excel.xls", "refused: column_scientific first_row 2 of 40 rows 37"),
    ("numbers_excel.xlsx", "refused: column_scientific first_row 2 of 40 rows 37"),
    ("numbers_one.xlsx", "refused: column_scientific first_row 9 of 40 rows 1"),
    ("numbers_pandas.csv", "refused: column_scientific first_row 2 of 37 rows 37"),
    ("numbers_pandas.xlsx", "refused: column_scientific first_row 2 of 37 rows 37"),
    ("numbers_pandas_int.csv", "refused: column_multiples of 37 rows 37"),
    // Cut, locked, hostile.
    ("bad_bomb.xlsx", "refused: spreadsheet_limit most 200 ratio 343"),
    ("bad_csv_in_zip.zip", "refused: spreadsheet_unknown"),
    ("bad_cut.ods", "refused: spreadsheet_broken"),
    ("bad_cut.xls", "refused: spreadsheet_broken"),
    ("bad_cut.xlsx", "refused: spreadsheet_broken"),
    ("bad_endless_text.xlsx", "refused: spreadsheet_stopped"),
    ("bad_entities.ods", "refused: spreadsheet_broken"),
    ("bad_entities.xlsx", "refused: spreadsheet_broken"),
    ("bad_entries.xlsx", "refused: spreadsheet_limit entries 2000 most 1024"),
    ("bad_far.xlsx", "refused: too_many_columns row 1048576"),
    ("bad_low.xlsx", "refused: too_many_rows row 4294967295"),
    ("bad_lying_size.xlsx", "refused: spreadsheet_broken"),
    ("bad_ole.xls", "refused: spreadsheet_broken"),
    ("bad_password.xlsx", "refused: spreadsheet_password"),
    ("bad_password_zip.xlsx", "refused: spreadsheet_password"),
    ("bad_spans.html", "refused: too_many_columns row 10"),
    ("bad_string_count.xlsx", "refused: spreadsheet_stopped"),
    ("bad_unknown_entity.xlsx", "refused: spreadsheet_broken"),
    ("bad_zip.zip", "refused: spreadsheet_unknown"),
];
