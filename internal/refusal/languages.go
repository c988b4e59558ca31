package refusal

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Servers say in the language of their users that a session has ended. The grammar of clause.go knows English words, so
// the words of other languages that matter become these: each is the root of a word in whatever form, with "-" where
// endings follow. Two words that mean one thing are joined by "+". Accents do not matter, unless the root has them.
const vocabulary = `
token: jeton- tokena tokenu tokenem tokeni tokene токен- belirtec-
refresh: actualizacion refresco renovacion actualisation rafraichissement renouvellement atualizacao renovacao
	aggiornament- rinnov- odswiez- vernieuwing- verversing- aktualisierung- erneuerung- обновлен- yenileme-
refresh token: rt
session: sitzung- sesion- sessao sessoes sesja sesji sesje sessie- sessione сесси- сеанс- oturum-
access: acceso accesso acces zugriff- zugang- dostep- toegang доступ-
account: konto compte cuenta conta учетн- аккаунт- hesap-
user: benutzer- usuario- utilisateur- utente utenti uzytkownik- gebruiker- пользовател- kullanici-
login: anmelden anmeldung einloggen iniciar+sesion inicie+sesion inicia+sesion iniciar+sessao inicie+sessao zaloguj-
	logowani- inloggen войдите войти авториз- giris-
login anew: reconnect- переавториз-
expired: abgelaufen- expirad- expiré- périm- caducad- vencid- scadut- wygas- verlopen истек- doldu dolmus sona+erdi
invalid: ungultig- ungueltig- invalido invalida invalidos invalidas invalide invalides ongeldig- niewazn- nieprawidlow- недействит- неверн- gecersiz-
revoked: widerrufen- revocad- revoqu- revogad- revocat- uniewazni- cofniet- ingetrokken отозван- iptal-
unknown: unbekannt- inconnu- desconocid- desconhecid- sconosciut- nieznan- onbekend- неизвестн- bilinmeyen-
ended: beendet- cerrad- finalizad- encerrad- terminad- ferme fermée chius- zakonczon- beeindigd- завершен-
deleted: geloscht- eliminad- supprim- excluid- eliminat- usuniet- verwijderd- удален- silin-
used: verwendet- benutzt- utilizad- utilisé- usado usada usato usata uzyt- gebruikt- использован- kullanildi kullanilmis
already: bereits schon deja já ya gia juz reeds уже zaten
valid: gultig- gueltig- valido valida validos validas valide valides wazn- geldig- действит- gecerli-
found: gefunden encontr- trouvé- trovat- znalezion- gevonden найден-
not found: bulunamadi
exist: existiert existe existem esiste istnieje bestaat существует
not: no+se nicht kein keine keinen nao nie niet geen не pas ne non degil
longer: mehr plus mas mais piu meer больше
the: la el los las les il lo gli der das het
is: ist est es é è jest являет-
was: wurde wurden fue foi zostal- été byl byla
of: de del della dell des du d di von van
or: oder ou o lub veya или
if: wenn falls si jesli если
anew: erneut nochmals nuevamente nuevo vuelva novamente nouveau nuovamente ponownie opnieuw снова заново tekrar yeniden
try: probeer- spróbuj- попробуйте
try again later: spater- später tarde tard tardi pozniej позже sonra
too many: zu+viele trop demasiad- muit- tropp- zbyt te+veel слишком cok+fazla
request: anfrage- requete- solicitud- requisic- pedido- richiest- zadan- verzoek- запрос- istek-
maintenance: wartung- mantenimiento manutencao manutenzione konserwacj- onderhoud обслуживан- bakim-
temporarily: vorubergehend- temporalmente temporairement temporariamente temporaneamente tymczasow- tijdelijk временно gecici-
client: cliente clientes klient- клиент- istemci-
key: schlussel- clave- chave- clé chiave chiavi klucz- sleutel- ключ- anahtar-
password: passwort- kennwort- contrasena- senha- passe haslo hasla wachtwoord- парол- sifre- parola-
locked: gesperrt- bloquead- bloqué- bloccat- zablokowan- geblokkeerd- заблокирован-
license: lizenz- licencia- licenca- licenza- licencj- licentie- лиценз-
certificate: zertifikat- certificad- certificat certificato certyfikat- certificaat сертификат-
signature: unterschrift- firma assinatura- podpis- handtekening- подпис-
country: pays país pais paese krajow- kraju стран- ulke-
region: regione regiao región regionu
verification: verificac- verifica vérification bestatigungs- weryfikac- verificatie- подтвержд-
address: adresse- direccion- endereco- indirizzo adres- адрес-
`

// characters are the words of languages that are written without spaces between them, or with endings that are joined
// to them, by what they mean here. What stands between them is passed over.
const characters = `
refresh token: 刷新凭证 刷新凭据 刷新憑證 リフレッシュトークン 更新トークン 刷新令牌 更新令牌 重新整理權杖
token: トークン 令牌 权杖 權杖 토큰
refresh: 刷新 リフレッシュ 리프레시 갱신
session: セッション 会话 會話 工作階段 세션
access: アクセス 访问 存取 액세스 접근
login: ログイン 登录 登入 登陆 로그인
login anew: 再ログイン 再度ログイン もう一度ログイン 重新登录 重新登入 重新登陆 다시로그인 再次登录
not logged in: 下线 下線 未登录 未登入 未ログイン
expired: 期限切れ 有効期限が切れ 期限が切れ 過期 过期 失效 失効 만료 已到期
timeout: タイムアウト 超时 超時 逾時 시간초과 시간이초과
invalid: 無効 无效 無效 不正 有効ではありません 有効でない 有効ではない 非法 不合法 유효하지 잘못된
revoked: 取り消され 吊销 撤销 撤銷 取消 취소 폐기
not found: 見つかりません 見つからない 找不到 未找到 찾을수없
not exist: 存在しません 存在しない 不存在 존재하지
already used: 使用済み 已使用 已被使用 이미사용
account: アカウント 账号 帐号 账户 帳號 帳戶 계정
user: ユーザー 用户 使用者 사용자
password: パスワード 密码 密碼 비밀번호
locked: ロック 锁定 鎖定 冻结 凍結 停用 잠겼 잠금
client: クライアント 客户端 客戶端 클라이언트
request: リクエスト 要求 请求 請求 요청
parameter: パラメータ 参数 參數 매개변수
key: キー 密钥 金鑰 鍵 키
signature: 署名 签名 簽章 서명
captcha: 認証コード 验证码 驗證碼 인증번호
country: お住まいの国 国家 國家 국가
region: 地域 地区 地區 지역
maintenance: メンテナンス 维护 維護 점검
too many: 頻繁 频繁 過多 过多 多すぎ 너무많
try again later: しばらくしてから 後でもう一度 稍后 稍後 잠시후 나중에
overloaded: 混雑 繁忙 혼잡
permission: 権限 权限 權限 권한
`

// A dictionary has English words by the words of other languages.
type dictionary struct {
	words, roots map[string][]string
	pairs        map[string]bool // the first words of expressions of two
	longest      int             // of a word or a root, in bytes
}

// translations has the words that spaces separate, and scripts those that they do not.
var (
	translations = sync.OnceValue(func() *dictionary { return newDictionary(vocabulary) })
	scripts      = sync.OnceValue(func() *dictionary { return newDictionary(characters) })
)

func newDictionary(text string) *dictionary {
	d := &dictionary{words: map[string][]string{}, roots: map[string][]string{}, pairs: map[string]bool{}}
	var english []string
	for field := range strings.FieldsSeq(headed(text)) {
		if head, ok := strings.CutSuffix(field, ":"); ok {
			english = strings.Split(head, "_")
			continue
		}
		if first, _, two := strings.Cut(field, "+"); two {
			d.pairs[first] = true
		}
		word, open := strings.CutSuffix(strings.ReplaceAll(field, "+", " "), "-")
		if open {
			d.roots[word] = english
		} else {
			d.words[word] = english
		}
		d.longest = max(d.longest, len(word))
	}
	return d
}

// headed joins the words of each line's head by "_", so that it is one field.
func headed(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if head, rest, ok := strings.Cut(line, ":"); ok {
			lines[i] = strings.ReplaceAll(head, " ", "_") + ": " + rest
		}
	}
	return strings.Join(lines, "\n")
}

// root is what a word means by itself or by its root, nil if the dictionary does not have it.
func (d *dictionary) root(word string) []string {
	if english, ok := d.words[word]; ok {
		return english
	}
	for end := min(len(word), d.longest); end > 2; end-- {
		if english, ok := d.roots[word[:end]]; ok {
			return english
		}
	}
	return nil
}

// look is what a word means, with its accents or else without.
func (d *dictionary) look(word string) []string {
	if english := d.root(word); english != nil {
		return english
	}
	if bare := plain(word); bare != word {
		return d.root(bare)
	}
	return nil
}

// plain is a word without accents.
func plain(word string) string {
	if !strings.ContainsFunc(word, func(r rune) bool { return r > unicode.MaxASCII }) {
		return word
	}
	return unaccented.Replace(word)
}

var unaccented = strings.NewReplacer("á", "a", "à", "a", "â", "a", "ã", "a", "ä", "a", "å", "a", "ą", "a", "ç", "c", "ć", "c",
	"é", "e", "è", "e", "ê", "e", "ë", "e", "ę", "e", "ё", "е", "ğ", "g", "í", "i", "ì", "i", "î", "i", "ï", "i", "ı", "i",
	"ł", "l", "ñ", "n", "ń", "n", "ó", "o", "ò", "o", "ô", "o", "õ", "o", "ö", "o", "ś", "s", "ş", "s", "ß", "ss",
	"ú", "u", "ù", "u", "û", "u", "ü", "u", "ź", "z", "ż", "z")

// inEnglish puts English words in place of those that the vocabulary has, and of two that are one expression.
func inEnglish(words []string) []string {
	d := translations()
	english := make([]string, 0, len(words))
	for i := 0; i < len(words); i++ {
		if known(words[i]) {
			english = append(english, words[i])
			continue
		}
		if first := plain(words[i]); i+1 < len(words) && d.pairs[first] {
			if meant := d.words[first+" "+plain(words[i+1])]; meant != nil {
				english = append(english, meant...)
				i++
				continue
			}
		}
		meant := segmented(words[i])
		if len(meant) == 1 {
			if root := d.look(words[i]); root != nil {
				meant = root
			}
		}
		english = append(english, meant...)
	}
	return inOrder(english)
}

// inOrder puts what qualifies a noun before it: a "token of refresh" is a refresh token.
func inOrder(words []string) []string {
	for i := 0; i+2 < len(words); i++ {
		noun, kind := words[i], words[i+2]
		ofToken := tokens.has(noun) && (strongQualifiers.has(kind) || otherTokens.has(kind) || kind == "access")
		if words[i+1] == "of" && (ofToken || noun == "key" && kind == "api") {
			words[i], words[i+1], words[i+2] = kind, noun, "of" // which says nothing there
		}
	}
	return words
}

// unspaced reports whether a letter is of a script of which characters has the words.
func unspaced(r rune) bool {
	return r >= 0x3040 && r <= 0x30ff || unicode.Is(unicode.Han, r) || unicode.Is(unicode.Hangul, r)
}

// scanned are the English words for what is known in a run of such letters.
func scanned(run string) (english []string) {
	d := scripts()
	for len(run) > 0 {
		end := min(len(run), d.longest)
		for end > 0 && d.words[run[:end]] == nil {
			end--
		}
		if end == 0 {
			_, end = utf8.DecodeRuneInString(run)
		} else {
			english = append(english, d.words[run[:end]]...)
		}
		run = run[end:]
	}
	return english
}

// joined takes out the spaces between the letters of such scripts.
func joined(text string) string {
	if !strings.ContainsFunc(text, unspaced) {
		return text
	}
	letters := []rune(text)
	kept := letters[:0]
	for i, r := range letters {
		if r == ' ' && i > 0 && i+1 < len(letters) && unspaced(letters[i-1]) && unspaced(letters[i+1]) {
			continue
		}
		kept = append(kept, r)
	}
	return string(kept)
}
