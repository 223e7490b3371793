//! Invented names, in kanji and kana. The first of each list are the family's.

use super::Written;

pub(super) const SURNAMES: [Written; 9] = [
    ("赤城", "アカギ"),
    ("榛名", "ハルナ"),
    ("妙義", "ミョウギ"),
    ("利根川", "トネガワ"),
    ("広瀬", "ヒロセ"),
    ("桃ノ木", "モモノキ"),
    ("大胡", "オオゴ"),
    ("粕川", "カスカワ"),
    ("敷島", "シキシマ"),
];
pub(super) const MOTHERS: [Written; 5] =
    [("響子", "キョウコ"), ("由美", "ユミ"), ("香織", "カオリ"), ("真理", "マリ"), ("智子", "トモコ")];
pub(super) const FATHERS: [Written; 1] = [("健一郎", "ケンイチロウ")];
pub(super) const GIRLS: [Written; 5] =
    [("結菜", "ユイナ"), ("陽葵", "ヒマリ"), ("咲良", "サクラ"), ("紬", "ツムギ"), ("凛", "リン")];
pub(super) const BOYS: [Written; 5] =
    [("湊", "ミナト"), ("蓮", "レン"), ("悠真", "ユウマ"), ("大翔", "ヒロト"), ("颯", "ハヤテ")];
