# ruff: noqa: RUF001 - signs of other alphabets are meant
"""What exporters call the columns of a bar, in the languages that they write.

Every spelling is written as `plain_name` gives it: small letters without accents, joined by `_`.
"""

OPEN = """
open open_price opening_price price_open opening o op first erster eroffnung eroeffnung eroffn
eroeffn eroffnungskurs eroeffnungskurs anfang apertura precio_apertura abertura preco_abertura ouv
ouverture premier openen openingskoers otwarcie kurs_otwarcia откр открытие цена_открытия acilis
oppning oppningskurs apning aabning avaus pembukaan buka mo_cua mo відкр відкриття otevreni nyito
開盤 開盤價 开 开盘 开盘价 今开 今开盘 開市 开市 始値 시가 오픈 시가_원
"""
HIGH = """
high high_price price_high h hi highest hoch hochst hoechst hochstkurs hoechstkurs tageshoch
maximum max maximo massimo maxima alta alto haut plus_haut hoogste hoog najwyzszy maks макс
максимум максимальная_цена yuksek hogst hogsta hogstkurs hoy ylin tertinggi tinggi cao cao_nhat
最高 最高价 最高價 高 高値 고가 고가_원
"""
LOW = """
low low_price price_low l lo lowest tief tiefst tiefstkurs tagestief minimum min minimo minima
baixa bajo bas plus_bas basso laagste laag najnizszy мин минимум минимальная_цена мінімум dusuk
lagst lagsta lagstkurs lav alin terendah rendah thap thap_nhat 最低 最低价 最低價 低 安値 저가
저가_원
"""
CLOSE = """
close close_price closing_price price_close closing close_last c cl schluss schlusskurs zuletzt
letzter cierre precio_cierre fechamento fecho preco_fechamento cloture fermeture chiusura slot
slotkoers laatste zamkniecie kurs_zamkniecia закр закрытие цена_закрытия закриття kapanis
stangning stangningskurs senast senest siste penutupan terakhir tutup dong_cua lan_cuoi 收 收盘
收盘价 收盤 收盤價 收市 收市价 終値 종가 종가_원 last latest last_price ultimo ultima dernier
ostatnio simdi цена price preis kurs precio preco prix prezzo koers cena 最新价 现价 settle
settlement settlement_price
"""
VOLUME = """
volume vol v base_volume volume_base volume_from volumefrom total_volume total_traded_quantity
ttl_trd_qnty total_trade_quantity traded_quantity traded_volume trade_volume trading_volume
quantity qty no_of_shares shares_traded number_of_shares share_volume volume_traded volumen umsatz
stuck stueck stucke stuecke gehandelte_stucke gehandelte_stuecke umsatz_in_stuck umsatz_in_stueck
negociado quantidade volume_negociado quantite volumi
hoeveelheid wolumen obrot объем об обем_торгов объем_торгов обсяг hac hacim volym omsattning
volyymi volume_perdagangan khoi_luong kl tick_volume tickvol ticks contracts no_of_contracts
量 成交量 成交股数 成交股數 交易量
总手 成交手数 出来高 거래량 거래량_주
"""
ADJUSTED_CLOSE = """
adj_close adjusted_close adjclose adj_close_price close_adj adjusted adjusted
adjusted_closing_price close_adjusted adjusted_price bereinigter_schlusskurs cierre_ajustado
fechamento_ajustado cloture_ajustee 复权收盘价 後複權價 調整後終値 수정종가
"""
# The most trusted first: exchanges write several, and a bar is dated by what it is known by.
DATES = """
datetime date_time timestamp date trade_date trading_date tradedate tradingday trading_day
business_date price_date bar_date candle_date dtyyyymmdd yyyymmdd open_time opentime start_time
starttime time_open candle_begin_time time_period_start window_start begin begin_time bar_time
trade_time start_at open_at time_key time gmt_time time_utc utc_time utc local_time datetime_utc
date_utc utc_datetime time_eet time_est time_gmt snapped_at ts ts_event event_time day dt period
unix unix_time unix_timestamp unixtime epoch epoch_time epoch_ms mts t date1 datum datum_zeit
zeitpunkt zeitstempel tag uhrzeit zeit handelstag fecha fecha_hora dia data data_hora data_ora
jour seance data_sesji sesja czas дата дата_время дата_и_время время tarih paiva tanggal ngay 日期
交易日期 日期时间 时间 交易时间 交易日 時間 日時 日付 日付け 日期時間 年月日 날짜 일자 일시 시간
index unnamed_0
"""
# A time of day that stands beside a column of days.
TIMES = """
time timestamp hour hr datetime date_time bar_time trade_time open_time start_time timeopen
time_utc gmt_time local_time uhrzeit zeit hora ora heure czas время vreme saat 时间 交易时间 時間
时刻 시간 시각 minute clock
"""
TICKERS = """
symbol ticker tic ts_code stock_code stock sec_code secid security security_id instrument code
asset pair name company company_name isin figi sid permno ric market coin coin_id crypto
currency_pair symbol_id base_symbol act_symbol instrument_id wkn kurzel papel codneg ativo тикер
инструмент бумага 股票代码 证券代码 代码 名称 股票名称 证券名称 銘柄コード コード 銘柄 종목코드
종목명 종목
"""
# What tells apart the series of one market that a file may hold beside each other.
SERIES = """
timeframe time_frame tf interval bar_interval candle_interval resolution granularity
periodicity bar_size per currency currency_code ccy exchange exchange_code exch venue
mic contract contract_code contract_month contract_name expiry expiry_date expiration
expiration_date exp_date delivery_month maturity maturity_date strike strike_price
option_type price_type quote_type waehrung devise moneda moeda borse borsa boerse 周期 交易所 合约
合约代码 货币 币种
"""
# How a row of totals begins that stands below the last bar.
SUMMARIES = """
total totals subtotal grand sum sums average averages avg mean median highest lowest max maximum min
minimum change difference diff count std stdev summe gesamt durchschnitt mittelwert hochstkurs
tiefstkurs hochst tiefst promedio media suma maximo minimo moyenne somme totale massimo gemiddelde
totaal итого всего среднее сумма максимум минимум 合计 合計 总计 總計 平均 平均值 汇总 합계 평균
"""

USUAL_NAMES = {
    "open": OPEN,
    "high": HIGH,
    "low": LOW,
    "close": CLOSE,
    "volume": VOLUME,
    "adj_close": ADJUSTED_CLOSE,
}

# The beginnings of the names of months, without accents; the longest that fits is meant.
MONTHS = (
    "jan ene gen janv янв січ sty oca ian tammi",
    "feb fev febr fevr фев лют lut sub helmi",
    "mar mrz mart maerz marz mrt мар бер maalis",
    "apr abr avr апр кві kwi nis huhti",
    "may mai mei mag maj mayis май мая тра touko",
    "jun giu juin июн чер cze haz kesa",
    "jul lug juil июл лип lip tem heina",
    "aug ago aou agu авг сер sie elo",
    "sep set sept сен вер wrz eyl syys",
    "oct okt ott out окт жов paz eki loka",
    "nov ноя лис lis kas marras",
    "dec dez dic des дек гру gru ara joulu",
)
