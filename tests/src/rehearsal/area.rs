//! The municipalities of a rehearsed prefecture: Gunma's thirty-five, Maebashi first.

use crate::house::House;

/// A municipality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Area {
    /// Its name in ids.
    pub slug: &'static str,
    /// Its name, Japanese.
    pub ja: &'static str,
    /// The same, English.
    pub en: &'static str,
}

impl Area {
    /// Its place in [`GUNMA`].
    pub fn number(self) -> u16 {
        GUNMA.iter().position(|area| *area == self).map_or(u16::MAX, |place| place as u16)
    }

    /// What somebody there is called in the world: in Maebashi the bare name, elsewhere after the municipality's.
    pub fn party(self, name: &str) -> String {
        if self.number() == 0 { name.to_owned() } else { format!("{}/{name}", self.slug) }
    }

    /// The member id of an institution there.
    pub fn member(self, house: House) -> String {
        format!("{}/{}", self.slug, house.slug())
    }

    /// The names of an institution there, Japanese and English.
    pub fn names(self, house: House) -> (String, String) {
        let (ja, en) = house.names();
        (ja.replace(GUNMA[0].ja, self.ja), en.replace(GUNMA[0].en, self.en))
    }
}

const fn area(slug: &'static str, ja: &'static str, en: &'static str) -> Area {
    Area { slug, ja, en }
}

/// All of them.
pub const GUNMA: [Area; 35] = [
    area("maebashi", "前橋市", "Maebashi"),
    area("takasaki", "高崎市", "Takasaki"),
    area("kiryu", "桐生市", "Kiryu"),
    area("isesaki", "伊勢崎市", "Isesaki"),
    area("ota", "太田市", "Ota"),
    area("numata", "沼田市", "Numata"),
    area("tatebayashi", "館林市", "Tatebayashi"),
    area("shibukawa", "渋川市", "Shibukawa"),
    area("fujioka", "藤岡市", "Fujioka"),
    area("tomioka", "富岡市", "Tomioka"),
    area("annaka", "安中市", "Annaka"),
    area("midori", "みどり市", "Midori"),
    area("shinto", "榛東村", "Shinto"),
    area("yoshioka", "吉岡町", "Yoshioka"),
    area("ueno", "上野村", "Ueno"),
    area("kanna", "神流町", "Kanna"),
    area("shimonita", "下仁田町", "Shimonita"),
    area("nanmoku", "南牧村", "Nanmoku"),
    area("kanra", "甘楽町", "Kanra"),
    area("nakanojo", "中之条町", "Nakanojo"),
    area("naganohara", "長野原町", "Naganohara"),
    area("tsumagoi", "嬬恋村", "Tsumagoi"),
    area("kusatsu", "草津町", "Kusatsu"),
    area("takayama", "高山村", "Takayama"),
    area("higashiagatsuma", "東吾妻町", "Higashiagatsuma"),
    area("katashina", "片品村", "Katashina"),
    area("kawaba", "川場村", "Kawaba"),
    area("showa", "昭和村", "Showa"),
    area("minakami", "みなかみ町", "Minakami"),
    area("tamamura", "玉村町", "Tamamura"),
    area("itakura", "板倉町", "Itakura"),
    area("meiwa", "明和町", "Meiwa"),
    area("chiyoda", "千代田町", "Chiyoda"),
    area("oizumi", "大泉町", "Oizumi"),
    area("ora", "邑楽町", "Ora"),
];
