"""Names, places and companies of several countries and scripts. No real person or company is meant."""

from __future__ import annotations

from dataclasses import dataclass

RIGHT_TO_LEFT = "\u202e"


@dataclass(frozen=True, slots=True)
class City:
    """A city with its centre in degrees."""

    name: str
    state: str
    zip_code: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Land:
    """A country: its dialling code, cities, names and streets, in its own script."""

    country: str
    dialling: str
    cities: tuple[City, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    companies: tuple[str, ...]
    suffixes: tuple[str, ...]
    streets: tuple[str, ...]
    family_first: bool = False
    weight: int = 1


LANDS: tuple[Land, ...] = (
    Land(
        "Australia",
        "61",
        (
            City("Sydney", "NSW", "2000", -33.8688, 151.2093),
            City("Melbourne", "VIC", "3000", -37.8136, 144.9631),
            City("Perth", "WA", "6000", -31.9523, 115.8613),
        ),
        ("Olivia", "Jack", "Charlotte", "William", "Ruby", "Noah", "Isla", "Thomas", "Matilda", "Lachlan"),
        ("Harper", "Whitlock", "Barlow", "Nguyen", "Fairweather", "Doyle", "Okafor", "Pemberton", "Singh", "Marsh"),
        ("Coral Bay", "Bluegum", "Southern Cross", "Redgum", "Lighthouse", "Kestrel", "Saltbush", "Wattle"),
        ("Pty Ltd", "Trading", "Logistics", "Dental", "Bakery", "Engineering"),
        ("George Street", "Harbour Road", "Wattle Lane", "Station Street", "Ocean Parade"),
        weight=8,
    ),
    Land(
        "United Kingdom",
        "44",
        (
            City("Leeds", "", "LS1 4AP", 53.7997, -1.5492),
            City("Bristol", "", "BS1 4ST", 51.4545, -2.5879),
            City("Glasgow", "", "G2 1DY", 55.8642, -4.2518),
        ),
        ("Amelia", "Oliver", "Poppy", "Harry", "Freya", "Alfie", "Imogen", "Callum", "Zara", "Rhys"),
        ("Ashworth", "O'Connor", "Hargreaves", "McAllister", "Patel", "Thistlewood", "Bramley", "Llewellyn", "Khan"),
        ("Oakhill", "Millbrook", "Thistle & Sons", "Harrow", "Foxglove", "Ironbridge", "Larkfield"),
        ("Ltd", "LLP", "Joinery", "Tea Rooms", "Motors", "Printworks"),
        ("High Street", "Mill Lane", "Church Road", "Victoria Terrace", "Station Approach"),
        weight=6,
    ),
    Land(
        "Germany",
        "49",
        (City("Köln", "NRW", "50667", 50.9375, 6.9603), City("Dresden", "Sachsen", "01067", 51.0504, 13.7373)),
        ("Jürgen", "Anneliese", "Björn", "Käthe", "Lukas", "Mia", "Felix", "Sophie"),
        ("Müller", "Großmann", "Schäfer", "Weiß", "Köhler", "Öztürk", "Brückner", "Vogt"),
        ("Rheinblick", "Grünwald", "Elbufer", "Sonnenhof", "Mühlenbach"),
        ("GmbH", "KG", "Bäckerei", "Elektrotechnik"),
        ("Hauptstraße", "Bahnhofsallee", "Mühlenweg", "Lindenplatz"),
        weight=4,
    ),
    Land(
        "France",
        "33",
        (City("Lyon", "", "69002", 45.7640, 4.8357), City("Nantes", "", "44000", 47.2184, -1.5536)),
        ("Élodie", "François", "Chloé", "Théo", "Anaïs", "Benoît", "Zoé", "Loïc"),
        ("Lefèvre", "Garçon", "D'Angély", "Béranger", "Rousseau", "Noël", "Péllissier"),
        ("Côté Jardin", "Belle Rive", "Quai Sud", "L'Étoile"),
        ("SARL", "et Fils", "Boulangerie", "Conseil"),
        ("rue de la République", "avenue des Tilleuls", "place du Marché", "quai de l'Île"),
        weight=3,
    ),
    Land(
        "Việt Nam",
        "84",
        (City("Đà Nẵng", "", "550000", 16.0544, 108.2022), City("Hà Nội", "", "100000", 21.0278, 105.8342)),
        ("Thị Hương", "Văn Đức", "Ngọc Ánh", "Quốc Bảo", "Thu Thủy"),
        ("Nguyễn", "Trần", "Lê", "Phạm", "Đặng"),
        ("Hoa Sen", "Biển Xanh", "Rồng Vàng"),
        ("Công ty TNHH", "Thương mại"),
        ("Đường Trần Phú", "Đường Lê Lợi", "Phố Huế"),
        family_first=True,
        weight=2,
    ),
    Land(
        "中国",
        "86",
        (City("北京", "北京市", "100000", 39.9042, 116.4074), City("成都", "四川省", "610000", 30.5728, 104.0668)),
        ("伟", "芳", "秀英", "志强", "晓明", "雪梅", "建国", "丽娜"),
        ("王", "李", "张", "刘", "陈", "杨", "欧阳", "司马"),
        ("星河", "长青", "金桥", "云山", "海鸥"),
        ("网络科技有限公司", "贸易有限公司", "餐饮管理有限公司"),
        ("中山路", "人民大街", "解放东路", "文化巷"),
        family_first=True,
        weight=4,
    ),
    Land(
        "日本",
        "81",
        (
            City("大阪市", "大阪府", "530-0001", 34.6937, 135.5023),
            City("札幌市", "北海道", "060-0001", 43.0618, 141.3545),
        ),
        ("さくら", "健太", "美咲", "大輔", "ゆり", "翔"),
        ("田中", "鈴木", "高橋", "渡邊", "小林", "山本"),
        ("青空", "松風", "ひまわり"),
        ("株式会社", "商店", "工業"),
        ("本町", "桜通り", "駅前"),
        family_first=True,
        weight=2,
    ),
    Land(
        "مصر",
        "20",
        (City("القاهرة", "", "11511", 30.0444, 31.2357), City("الإسكندرية", "", "21500", 31.2001, 29.9187)),
        ("محمد", "فاطمة", "أحمد", "مريم", "يوسف", "ليلى", "عمر"),
        ("الشريف", "حسن", "عبد الله", "المصري", "السيد", "النجار"),
        ("النور", "الواحة", "الأمل", "نجمة البحر"),
        ("للاتصالات", "للتجارة", "وشركاه"),
        ("شارع النيل", "شارع التحرير", "طريق الكورنيش"),
        weight=3,
    ),
    Land(
        "ישראל",
        "972",
        (City("חיפה", "", "3100000", 32.7940, 34.9896),),
        ("נועה", "דוד", "תמר", "איתי", "שירה"),
        ("כהן", "לוי", "מזרחי", "פרידמן"),
        ("גל הים", "שקד"),
        ('בע"מ', "ושות'"),
        ("רחוב הנמל", "שדרות הציונות"),
        weight=1,
    ),
    Land(
        "България",
        "359",
        (City("София", "", "1000", 42.6977, 23.3219), City("Варна", "", "9000", 43.2141, 27.9147)),
        ("Иван", "Мария", "Георги", "Елена", "Димитър", "Йоана"),
        ("Иванов", "Петрова", "Николов", "Тодорова", "Щерев"),
        ("Черно море", "Розова долина", "Балкан"),
        ("ЕООД", "АД", "Транспорт"),
        ("ул. Витоша", "бул. Левски", "ул. Шипка"),
        weight=2,
    ),
    Land(
        "Ελλάδα",
        "30",
        (City("Θεσσαλονίκη", "", "54622", 40.6401, 22.9444),),
        ("Γιώργος", "Μαρία", "Νίκος", "Ελένη", "Άννα"),
        ("Παπαδόπουλος", "Γεωργίου", "Νικολάου", "Ιωάννου"),
        ("Αιγαίο", "Ήλιος"),
        ("Α.Ε.", "Ο.Ε."),
        ("Οδός Ερμού", "Λεωφόρος Νίκης"),
        weight=1,
    ),
    Land(
        "भारत",
        "91",
        (City("पुणे", "महाराष्ट्र", "411001", 18.5204, 73.8567),),
        ("अनिता", "राहुल", "प्रिया", "विजय", "सुनीता"),
        ("शर्मा", "देशपांडे", "वर्मा", "कुलकर्णी"),
        ("सूर्योदय", "गंगा"),
        ("प्राइवेट लिमिटेड", "एंड सन्स"),
        ("महात्मा गांधी मार्ग", "स्टेशन रोड"),
        weight=2,
    ),
    Land(
        "ประเทศไทย",
        "66",
        (City("เชียงใหม่", "", "50000", 18.7883, 98.9853),),
        ("สมชาย", "มาลี", "ณัฐพงษ์", "สุดารัตน์"),
        ("ใจดี", "ศรีสุข", "ทองคำ"),
        ("ช้างเผือก", "ดอกบัว"),
        ("จำกัด", "การค้า"),
        ("ถนนท่าแพ", "ถนนนิมมานเหมินท์"),
        weight=1,
    ),
    Land(
        "Brasil",
        "55",
        (
            City("São Paulo", "SP", "01000-000", -23.5505, -46.6333),
            City("Recife", "PE", "50000-000", -8.0476, -34.8770),
        ),
        ("João", "Conceição", "Antônio", "Luíza", "Thaís", "Caio"),
        ("da Silva", "Gonçalves", "Araújo", "Magalhães", "Brandão"),
        ("Três Rios", "Ipê Amarelo", "Maré Alta"),
        ("Ltda.", "S.A.", "Padaria"),
        ("Avenida Central", "Rua das Acácias", "Travessa do Sol"),
        weight=3,
    ),
)

COMBINED = "Ame\u0301lie Brande\u0301n-No\u0303rdstro\u0308m"
PERSONS = (COMBINED, "Å")

UNUSUAL_NAMES: tuple[str, ...] = (
    "Harbour Lights Café",
    "[bold]Bold & Sons[/bold]",
    "Red \x1b[31mAlert\x1b[0m Systems",
    "شركة نجمة البحر للاتصالات",
    "北京星河网络科技有限公司",
    COMBINED,
    "Дунавски бряг ООД",
    'גל הים בע"מ',
    f"Reversed {RIGHT_TO_LEFT}emaN",
    "👩‍👩‍👧‍👦 Family Plan House",
    "=SUM(A1:A9)",
    "O'Brien; DROP TABLE customer; --",
    "Zero\u200bWidth \u00a0 Spaces",
    "Very " + "Long " * 37 + "Name",
    "Å",
)
"""The first customers of every demo: what a screen has to show literally and a list has to sort and find."""
