"""Files as real programs write them: openpyxl, xlsxwriter, xlwt, pandas, LibreOffice, SheetJS, and what hostile hands make of them.

Each is about the same forty people; what is odd about a file is in its name, and what is read of it in real_files.rs.
"""

import datetime
import io
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import msoffcrypto.format.ooxml
import openpyxl
import pandas
import xlsxwriter
import xlwt
from openpyxl.utils.datetime import CALENDAR_MAC_1904

PEOPLE = 40
HEADING = ["客户名称", "证件号码", "账号", "余额（元）", "余额日期"]
DAY = datetime.date(2026, 10, 31)


def check_character(body):
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return "10X98765432"[sum(w * int(d) for w, d in zip(weights, body)) % 11]


def number(n):
    """Of person `n`, from 0 to 799,999; another for each."""
    place, order = divmod(n, 800)
    body = f"{110105 + place}{1950 + n % 50}{1 + n % 12:02}{1 + n % 28:02}{100 + order:03}"
    return body + check_character(body)


def row(n):
    return [f"客户{n}", number(n), f"6222021{n:012}", round(1000.1 + n, 2), DAY]


ROWS = [row(n) for n in range(PEOPLE)]


def convert(source, target, form):
    """By LibreOffice, in a profile of its own so that two of them do not wait for each other."""
    with tempfile.TemporaryDirectory() as folder:
        profile = f"-env:UserInstallation=file://{folder}/profile"
        command = ["soffice", profile, "--headless", "--convert-to", form, "--outdir", folder, str(source)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        made = [path for path in Path(folder).iterdir() if path.is_file()]
        assert len(made) == 1, made
        shutil.move(made[0], target)


def book(rows, heading=HEADING, **more):
    made = openpyxl.Workbook(**more)
    sheet = made.active
    for line in [heading, *rows]:
        sheet.append(line)
    return made


def applicants(out):
    """The first ten people, and ten whom no file has."""
    people = [line[:2] for line in ROWS[:10]] + [[f"别人{n}", number(n + 500)] for n in range(10)]
    lines = [f"{name},居民身份证,{digits},SQ-{n}" for n, (name, digits) in enumerate(people)]
    (out / "applicants.csv").write_text("\n".join(["姓名,证件类型,证件号码,授权书编号", *lines, ""]), "utf-8")


def small(out):
    applicants(out)
    plain = out / "plain.xlsx"
    book(ROWS).save(plain)
    forms = {
        "lo.xlsx": "xlsx", "lo.xls": "xls", "lo.ods": "ods", "lo.fods": "fods", "lo.html": "html",
        # Separator comma, quotes, GB18030 by LibreOffice's own number.
        "lo_gb18030.csv": "csv:Text - txt - csv (StarCalc):44,34,85,1",
        "lo_utf16.csv": "csv:Text - txt - csv (StarCalc):9,34,65535,1",
    }
    for name, form in forms.items():
        convert(plain, out / name, form)
    xml2003(out)
    sheetjs(plain, out)
    # Names that lie.
    shutil.copy(out / "lo.html", out / "html_named.xls")
    shutil.copy(out / "lo_gb18030.csv", out / "csv_named.xls")
    shutil.copy(plain, out / "xlsx_named.csv")
    web_pages(out)
    layouts(out)
    numbers(out)
    hostile(out, plain)


def xml2003(out):
    """XML Spreadsheet 2003, as reporting systems write it. (LibreOffice without Java can't.)"""
    kinds = ["String", "String", "String", "Number", "DateTime"]
    cell = lambda kind, value: f'<Cell><Data ss:Type="{kind}">{value}</Data></Cell>'  # noqa: E731
    lines = ["".join(cell("String", name) for name in HEADING)]
    lines += ["".join(cell(kind, value) for kind, value in zip(kinds, [*line[:4], f"{line[4]}T00:00:00.000"])) for line in ROWS]
    rows = "".join(f"<Row>{line}</Row>" for line in lines)
    (out / "xml2003.xls").write_text(
        '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Worksheet ss:Name="客户"><Table><Row ss:Index="3"/>{rows}</Table></Worksheet></Workbook>', "utf-8")


def sheetjs(plain, out):
    """What pages in a browser export. Its XLSB has cells without a column of their own."""
    script = """
        const [library, from, ...targets] = process.argv.slice(1);
        const sheetjs = require(library);
        for (const to of targets) sheetjs.writeFile(sheetjs.readFile(from), to);
    """
    library = Path(sys.prefix) / "sheetjs/package/xlsx.js"
    targets = [out / f"sheetjs.{form}" for form in ["xlsx", "xlsb", "ods"]]
    subprocess.run(["node", "-e", script, library, plain, *targets], check=True)


def web_pages(out):
    """As reporting systems write them: GBK, tags left open, spans, entities."""
    cells = "".join(
        f"<tr><td>{name}&nbsp;<td x:str='{digits}'>{digits}<td>{account}<td>{amount}<td>{day}\r\n"
        for name, digits, account, amount, day in ROWS)
    heading = "".join(f"<th><b>{name}</b></th>" for name in HEADING)
    page = (f"<html><head><meta charset=gb2312><style>td {{mso-number-format:'\\@'}}</style></head><body>"
            f"<table><tr><td colspan=5>客户余额表</td></tr></table><table><tr>{heading}</tr>{cells}"
            f"<tr><td>合计<td colspan=2>&lt;空&gt;<td>1<td></table></body></html>")
    (out / "page_gbk.xls").write_bytes(page.encode("gb18030"))
    pandas.DataFrame(ROWS, columns=HEADING).to_html(out / "page_pandas.xls", index=False)
    (out / "page_mht.xls").write_bytes(b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n<table></table>")


def layouts(out):
    # Titles, a merged heading above the heading, a blank row, the heading once more, footers, hidden rows and columns.
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "余额"
    sheet.append(["某某银行客户余额表"])
    sheet.merge_cells("A1:E1")
    sheet.append(["机构：某支行", None, None, "单位：元"])
    sheet.append([])
    sheet.append(["客户信息", None, None, "账户信息"])
    sheet.merge_cells("A4:C4")
    sheet.merge_cells("D4:E4")
    sheet.append(HEADING)
    for line in ROWS[:20]:
        sheet.append(line)
    sheet.append(HEADING)
    for line in ROWS[20:]:
        sheet.append(line)
    sheet.append(["合计", None, None, "=SUM(D6:D47)"])
    sheet.append(["制表人：李四", None, "复核：王五", None, "2026-11-01"])
    for hidden in range(8, 12):
        sheet.row_dimensions[hidden].hidden = True
    sheet.column_dimensions["C"].hidden = True
    sheet.auto_filter.ref = "A5:E47"
    made.save(out / "titles_and_footers.xlsx")
    convert(out / "titles_and_footers.xlsx", out / "titles_and_footers.ods", "ods")
    convert(out / "titles_and_footers.xlsx", out / "titles_and_footers.xls", "xls")

    # A cover, two sheets of data of which one is hidden, one with a heading alone, an empty one.
    made = openpyxl.Workbook()
    made.active.title = "封面"
    made.active.append(["某某银行", "二〇二六年十月"])
    for title, rows, state in [("一", ROWS[:25], "visible"), ("二", ROWS[25:], "hidden"), ("空表", [], "visible")]:
        sheet = made.create_sheet(title)
        sheet.sheet_state = state
        sheet.append(HEADING)
        for line in rows:
            sheet.append(line)
    made.create_sheet("空白")
    made.save(out / "several_sheets.xlsx")
    convert(out / "several_sheets.xlsx", out / "several_sheets.ods", "ods")
    convert(out / "several_sheets.xlsx", out / "several_sheets.xls", "xls")

    # The second sheet goes on without a heading: rows that nobody may lose in silence.
    made = book(ROWS[:25])
    sheet = made.create_sheet("续")
    for line in ROWS[25:]:
        sheet.append(line)
    made.save(out / "second_sheet_without_heading.xlsx")
    made = openpyxl.Workbook()
    made.active.append(["这里没有客户"])
    made.save(out / "no_customers.xlsx")
    openpyxl.Workbook().save(out / "empty.xlsx")

    # Line breaks, quotation marks and separators inside cells; blanks and marks around numbers; rich text.
    odd = [list(line) for line in ROWS]
    odd[0][0] = "客户\n零"
    odd[1][0] = '"客户", 一'
    odd[2][1] = f"'{odd[2][1]}"
    odd[3][1] = f" {odd[3][1]}\n"
    odd[4][1] = "".join(chr(ord(c) + 0xFEE0) for c in odd[4][1])
    odd[5][1] = None
    odd[6][1] = "1101051950010110"
    odd[7][1] = "91110000100000000X"
    book(odd).save(out / "odd_cells.xlsx")
    made = xlsxwriter.Workbook(str(out / "rich_text.xlsx"))
    sheet, bold = made.add_worksheet(), made.add_format({"bold": True})
    sheet.write_row(0, 0, HEADING)
    for n, line in enumerate(ROWS):
        sheet.write_row(n + 1, 0, [*line[:4], str(line[4])])
        sheet.write_rich_string(n + 1, 1, bold, line[1][:6], line[1][6:])
    made.close()

    # Dates of both systems, and the time of day.
    book(ROWS).save(out / "dates_1900.xlsx")
    made = book(ROWS)
    made.epoch = CALENDAR_MAC_1904
    for line in made.active.iter_rows(min_row=2, min_col=5, max_col=5):
        line[0].value = datetime.datetime(2026, 10, 31, 18, 30)
    made.save(out / "dates_1904.xlsx")

    # BIFF by another program, and a sheet that ends where a sheet must end.
    for name, count in [("xlwt.xls", PEOPLE), ("xlwt_full.xls", 65_535)]:
        made = xlwt.Workbook()
        sheet = made.add_sheet("客户")
        for at, text in enumerate(HEADING):
            sheet.write(0, at, text)
        for n in range(count):
            *line, day = row(n % PEOPLE)
            for at, value in enumerate([*line, str(day)]):
                sheet.write(n + 1, at, value)
        made.save(str(out / name))


def numbers(out):
    # Excel keeps 15 digits; the numbers ending in X stay text.
    def spoiled(text):
        return text if text.endswith("X") else int(text) // 1000 * 1000
    book([[line[0], spoiled(line[1]), *line[2:]] for line in ROWS]).save(out / "numbers_excel.xlsx")
    convert(out / "numbers_excel.xlsx", out / "numbers_excel.xls", "xls")
    convert(out / "numbers_excel.xlsx", out / "numbers_excel.ods", "ods")
    convert(out / "numbers_excel.xlsx", out / "numbers_excel.html", "html")
    # One number among texts is enough.
    book([[line[0], int(line[1]) if n == 7 else line[1], *line[2:]] for n, line in enumerate(ROWS)]).save(
        out / "numbers_one.xlsx")
    # pandas takes a column of digits for numbers, and for float64 where one is missing.
    whole = [line for line in ROWS if not line[1].endswith("X")]
    frame = pandas.DataFrame(whole, columns=HEADING)
    frame["证件号码"] = frame["证件号码"].astype("float64")
    frame.to_excel(out / "numbers_pandas.xlsx", index=False)
    frame.to_csv(out / "numbers_pandas.csv", index=False, encoding="utf-8-sig")
    frame["证件号码"] = frame["证件号码"].astype("int64")
    frame.to_csv(out / "numbers_pandas_int.csv", index=False)
    # Old numbers have 15 digits, which a numeric cell holds.
    old = [[line[0], int(line[1][:6] + line[1][8:17]), *line[2:]] for line in ROWS]
    book(old).save(out / "numbers_15.xlsx")


def rewritten(source, change, **more):
    """The archive at `source` with `change(name, bytes)` for every entry."""
    bytes_ = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(bytes_, "w", zipfile.ZIP_DEFLATED, **more) as new:
        for info in old.infolist():
            new.writestr(info.filename, change(info.filename, old.read(info)))
    return bytes_.getvalue()


def hostile(out, plain):
    whole = plain.read_bytes()
    (out / "bad_cut.xlsx").write_bytes(whole[: len(whole) // 2])
    (out / "bad_cut.xls").write_bytes((out / "lo.xls").read_bytes()[:3000])
    (out / "bad_cut.ods").write_bytes((out / "lo.ods").read_bytes()[:-200])
    (out / "bad_zip.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    with zipfile.ZipFile(out / "bad_csv_in_zip.zip", "w") as made:
        made.writestr("客户.csv", "证件号码,余额\n")
    with plain.open("rb") as file, (out / "bad_password.xlsx").open("wb") as locked:
        msoffcrypto.format.ooxml.OOXMLFile(file).encrypt("secret", locked)
    # A zip with a password says so in a flag of each entry.
    flagged = bytearray(whole)
    for mark, at in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)]:
        place = flagged.find(mark)
        while place >= 0:
            flagged[place + at] |= 1
            place = flagged.find(mark, place + 4)
    (out / "bad_password_zip.xlsx").write_bytes(flagged)

    head = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    tail = b"</sheetData></worksheet>"
    in_sheet = lambda text: lambda name, old: text if name.endswith("sheet1.xml") else old  # noqa: E731
    cells = b'<row><c t="inlineStr"><is><t>x</t></is></c></row>'
    bomb = head + cells * ((600 << 20) // len(cells)) + tail
    (out / "bad_bomb.xlsx").write_bytes(rewritten(plain, in_sheet(bomb), compresslevel=9))
    far = head + b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>' + tail
    (out / "bad_far.xlsx").write_bytes(rewritten(plain, in_sheet(far)))
    low = head + b'<row r="4294967295"><c r="A4294967295"><v>1</v></c></row>' + tail
    (out / "bad_low.xlsx").write_bytes(rewritten(plain, in_sheet(low)))
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (n, (b"&l%d;" % (n - 1)) * 10 if n else b"lol") for n in range(12))
    declared = b"<!DOCTYPE worksheet [" + laughs + b"]>"
    text = b'<row r="1"><c r="A1" t="inlineStr"><is><t>&l11;</t></is></c></row>'
    bad = head.replace(b"?>", b"?>" + declared, 1) + text + tail
    (out / "bad_entities.xlsx").write_bytes(rewritten(plain, in_sheet(bad)))
    (out / "bad_unknown_entity.xlsx").write_bytes(rewritten(plain, in_sheet(head + text + tail)))
    outside = declared.replace(laughs, b'<!ENTITY l11 SYSTEM "file:///etc/passwd">')
    entity = lambda name, old: old.replace(b"?>", b"?>" + outside, 1) if name == "content.xml" else old  # noqa: E731
    (out / "bad_entities.ods").write_bytes(rewritten(out / "lo.ods", entity))
    # One text without an end: it would have to be held.
    endless = head + b'<row><c t="inlineStr"><is><t>' + b"".join(b"%08x" % n for n in range(50_000)) * 1_200
    (out / "bad_endless_text.xlsx").write_bytes(rewritten(plain, in_sheet(endless)))

    # Strings that unpack to more than the directory says; a count of strings that nobody has.
    strings = b'<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" uniqueCount="%d">%s</sst>'
    with_strings = lambda text: rewritten(  # noqa: E731
        out / "lo.xlsx", lambda name, old: text if name.endswith("sharedStrings.xml") else old)
    many = strings % (1, b"<si><t>x</t></si>" * 3_000_000)
    lying = bytearray(with_strings(many))
    for mark, at in [(b"PK\x03\x04", 22), (b"PK\x01\x02", 24)]:
        place = lying.find(mark)
        while place >= 0:
            if struct.unpack_from("<I", lying, place + at)[0] == len(many):
                struct.pack_into("<I", lying, place + at, 1000)
            place = lying.find(mark, place + 4)
    (out / "bad_lying_size.xlsx").write_bytes(lying)
    (out / "bad_string_count.xlsx").write_bytes(with_strings(strings % (4_000_000_000, b"<si><t>x</t></si>")))
    with zipfile.ZipFile(out / "bad_entries.xlsx", "w") as made:
        for n in range(2_000):
            made.writestr(f"{n}/workbook.xml", b"")
    noise = zlib.compress(bytes(1), 9) * 100
    (out / "bad_ole.xls").write_bytes(bytes([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) + noise)
    open_table = b"<html><table>" + b"<tr><td>" * 10 + b"<td colspan=999999999 rowspan=999999999>x" * 300
    (out / "bad_spans.html").write_bytes(open_table)


def full(out):
    """A full sheet as xlsxwriter writes it: two columns of strings of which each is one of a kind, six others."""
    made = xlsxwriter.Workbook(str(out / "full.xlsx"))
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, ["客户名称", "证件号码", "账号", "币种", "余额", "余额日期", "产品", "状态"])
    for n in range(1, 1_048_576):
        sheet.write_string(n, 0, f"客户{n}")
        sheet.write_string(n, 1, number(n % 800_000))
        sheet.write_string(n, 2, f"6222021{n * 7919:012}")
        sheet.write_string(n, 3, "CNY")
        sheet.write_number(n, 4, (n * 7919 % 100_000_000) / 100)
        sheet.write_string(n, 5, "2026-10-31")
        sheet.write_string(n, 6, "活期存款")
        sheet.write_string(n, 7, "正常")
    made.close()


def commissions(out):
    """Batches as a township sends them, after the desk's template; see cli/tests/desk_modules.rs."""
    heading = ["委托书编号", "户号", "乡镇街道", "户类别", "任务类型", "核对时点", "收入起", "收入止", "姓名", "证件类型", "证件号码", "曾用证件号",
               "与户主关系", "人员范围", "授权书编号", "授权方式", "签署日期", "授权单位", "授权级别"]

    def line(commission, n):
        relation = "配偶" if n % 2 else "户主"
        return [commission, f"H-{n // 2}", "城关镇", None, "新申请", datetime.date(2026, 10, 20), datetime.date(2026, 4, 1),
                datetime.date(2026, 9, 30), ["欧阳建国", "司徒美兰"][n % 2], None, number(n), None, relation, "共同生活",
                f"SQ-{n}", "本人", datetime.date(2026, 10, 1), "银行、部门", "合计"]

    def made(commission, people=20):
        file = book([line(commission, n) for n in range(people)], heading)
        file.create_sheet("填表说明").append(["每人一行，证件号码按身份证填写"])
        return file
    made("WT-X").save(out / "commission.xlsx")
    for form in ["xls", "ods"]:
        made(f"WT-{form}").save(out / "commission-source.xlsx")
        convert(out / "commission-source.xlsx", out / f"commission.{form}", form)
    wrong = made("WT-N", 6)
    sheet = wrong.active
    sheet["K3"] = int(number(2 if number(1).endswith("X") else 1))
    sheet["F4"] = "2026-13-01"
    sheet.insert_rows(5, 2)
    sheet["N8"] = "邻居"
    wrong.save(out / "commission_wrong.xlsx")
    twice = made("WT-T", 2)
    twice.copy_worksheet(twice.active)
    twice.save(out / "commission_twice.xlsx")
    stray = made("WT-S", 2)
    stray["填表说明"].append([number(50)])
    stray.save(out / "commission_stray.xlsx")
    head = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    cells = b'<row><c t="inlineStr"><is><t>x</t></is></c></row>'
    bomb = head + cells * ((600 << 20) // len(cells)) + b"</sheetData></worksheet>"
    with_bomb = lambda name, old: bomb if name.endswith("sheet1.xml") else old  # noqa: E731
    (out / "commission_bomb.xlsx").write_bytes(rewritten(out / "commission.xlsx", with_bomb, compresslevel=9))
    with (out / "commission.xlsx").open("rb") as file, (out / "commission_locked.xlsx").open("wb") as locked:
        msoffcrypto.format.ooxml.OOXMLFile(file).encrypt("secret", locked)


{"small": small, "full": full, "commissions": commissions}[sys.argv[1]](Path(sys.argv[2]))
