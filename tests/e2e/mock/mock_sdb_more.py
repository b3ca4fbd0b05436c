"""SimpleDB of jobqmock: pages, counts, limits at the edge and one past it, what a replica does
not know yet, and every action's BoxUsage and errors, by GET and POST, signed by version 2 with
both of its hashes and by version 4."""
import base64
import datetime
import hashlib
import hmac
import unittest
import urllib.parse
import xml.etree.ElementTree as ET

import botocore.auth
import botocore.awsrequest
import botocore.credentials

import livelib
from mocklib import MockCase

NS = "{http://sdb.amazonaws.com/doc/2009-04-15/}"


def pairs(*names_values):
    return [{"Name": n, "Value": v} for n, v in names_values]


class SdbCase(MockCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sdb = cls.client("sdb")

    def domain(self, *items):
        """A new domain with these items of (name, [(attribute, value)...])."""
        name = self.name("-domain")
        self.sdb.create_domain(DomainName=name)
        for i in range(0, len(items), 25):
            self.sdb.batch_put_attributes(DomainName=name, Items=[
                {"Name": item, "Attributes": pairs(*values)} for item, values in items[i:i + 25]])
        return name

    def pages(self, expression, **more):
        """Lists of items, a page each."""
        out, token = [], None
        while True:
            got = self.sdb.select(SelectExpression=expression, ConsistentRead=True, **more,
                                  **({"NextToken": token} if token else {}))
            out.append(got.get("Items", []))
            token = got.get("NextToken")
            if not token:
                return out

    def select(self, expression):
        return [i["Name"] for page in self.pages(expression) for i in page]

    def call(self, post=False, **params):
        """(status, parsed reply) of a plain request."""
        query = urllib.parse.urlencode({"Version": "2009-04-15", **params})
        status, _, text = self.http("/", "POST", query.encode()) if post else \
            self.http("/?" + query)
        return status, ET.fromstring(text)


class Pages(SdbCase):
    def test_2500_items(self):
        domain = self.domain(*[("i%04d" % i, [("v", "%04d" % i)]) for i in range(2501)])
        for limit, sizes in (("", [100] * 25 + [1]), (" limit 2500", [2500, 1]),
                             (" limit 2499", [2499, 2])):
            got = self.pages("select itemName() from `%s`%s" % (domain, limit))
            self.assertEqual([len(p) for p in got], sizes)
        # Sorted ones are cut as well, and go on where they stopped.
        where = "select v from `%s` where v is not null order by v desc limit 1000" % domain
        got = [i["Attributes"][0]["Value"] for p in self.pages(where) for i in p]
        self.assertEqual(got, ["%04d" % i for i in range(2500, -1, -1)])
        counted = self.pages("select count(*) from `%s`" % domain)
        self.assertEqual([p[0]["Attributes"] for p in counted],
                         [[{"Name": "Count", "Value": "2501"}]])
        # A count is cut by its limit, and by the time it takes (here: rows looked at).
        counted = self.pages("select count(*) from `%s` limit 2000" % domain)
        self.assertEqual([p[0]["Attributes"][0]["Value"] for p in counted], ["2000", "501"])
        self.faults("sdb.model.select_scan_max=1000")
        counted = self.pages("select count(*) from `%s` where v > '0'" % domain)
        self.assertEqual([p[0]["Attributes"][0]["Value"] for p in counted],
                         ["1000", "1000", "501"])
        rows = self.pages("select v from `%s` where v > '2000' limit 2500" % domain)
        self.assertEqual(len(rows), 3)
        self.assertEqual(sum(len(p) for p in rows), 500)
        self.fails("RequestTimeout", self.sdb.select, status=408,
                   SelectExpression="select v from `%s` where v > '0' order by v" % domain,
                   text="A timeout occurred when attempting to query domain")
        self.faults("off")

    def test_1_mb(self):
        domain = self.domain(*[("i%02d" % i, [("k%d" % k, "v" * 1024) for k in range(12)])
                               for i in range(100)])
        got = self.pages("select * from `%s` limit 2500" % domain)
        sizes = [sum(len(i["Name"]) + sum(len(a["Name"]) + len(a["Value"])
                                          for a in i["Attributes"]) for i in page)
                 for page in got]
        self.assertEqual(len(got), 2)
        self.assertLessEqual(max(sizes), 1 << 20)
        self.assertGreater(sizes[0] + 13000, 1 << 20)
        self.assertEqual(sum(len(p) for p in got), 100)

    def test_tokens(self):
        domain = self.domain(*[("i%d" % i, [("v", "1")]) for i in range(5)])
        first = "select * from `%s` limit 2" % domain
        token = self.sdb.select(SelectExpression=first)["NextToken"]
        self.assertEqual(len(self.sdb.select(SelectExpression=first, NextToken=token)["Items"]), 2)
        other = first.replace("limit", "where v = '1' limit")
        for bad, expression in ((token, other), (token + "zz", first),
                                ("x", first)):
            self.fails("InvalidNextToken", self.sdb.select, SelectExpression=expression,
                       NextToken=bad, text="The specified next token is not valid.")
        # What is written in between neither hides nor repeats other rows.
        self.sdb.delete_attributes(DomainName=domain, ItemName="i0")
        rest = self.sdb.select(SelectExpression=first, NextToken=token, ConsistentRead=True)
        self.assertEqual(len(rest["Items"]), 2)
        self.fails("InvalidNextToken", self.sdb.list_domains, NextToken="a")


class Grammar(SdbCase):
    def test_multi_valued(self):
        """Developer guide, Queries on Attributes with Multiple Values, and every()."""
        domain = self.domain(
            ("a", [("k", "x"), ("k", "y"), ("n", "1")]), ("b", [("k", "x"), ("n", "2")]),
            ("c", [("k", "z"), ("k", "y")]), ("d", [("n", "3"), ("n", "9")]))
        for where, wanted in {
                "k = 'x' and k = 'y'": "", "k = 'x' intersection k = 'y'": "a",
                "every(k) = 'x'": "b", "every(k) in ('x', 'y')": "ab", "every(k) like '%'": "abc",
                "every(k) is null": "d", "every(n) > '1'": "bd", "not k = 'x'": "cd",
                "k != 'x'": "ac", "every(k) != 'x'": "c", "n > '2' and n < '9'": "d",
                "n > '3' and n < '9'": "", "n > '3' intersection n < '9'": "d",
                "n between '3' and '8'": "d", "k in ('x') or n = '9'": "abd",
                "(k = 'x' or k = 'z') and k > 'y'": "c",
                "k = 'x' or k = 'y' intersection n = '1'": "a",
                "not (k = 'x' or n = '3')": "c", "not k is null": "abc", "k not like 'x%'": "ac",
                "itemName() in ('a', 'd') and n is not null": "ad",
                "itemName() between 'b' and 'c'": "bc", "not not k = 'z'": "c",
                "((((n = '1'))))": "a", "itemName() > 'b' intersection every(n) > '2'": "d"
        }.items():
            got = self.select("select itemName() from `%s` where %s" % (domain, where))
            self.assertEqual("".join(sorted(got)), wanted, where)

    def test_words_and_quotes(self):
        domain = self.domain(("it's", [("select", "from"), ("a-b", "\"q\""), ("`", "5%"),
                                       ("$x_1", "a\\b")]))
        for where in ("`select` = 'from'", "`a-b` = '\"q\"'", "`a-b` = \"\"\"q\"\"\"",
                      "```` like '5\\%'", "$x_1 like 'a\\\\b'", "itemName() = 'it''s'",
                      "itemName() = \"it's\"", "`select` LIKE 'f%m' AND `a-b` IS NOT NULL"):
            self.assertEqual(self.select("SELECT ITEMNAME() FROM `%s` WHERE %s"
                                         % (domain, where)), ["it's"], where)
        got = self.pages("select `a-b`, nothing, `select` from `%s`" % domain)[0][0]
        self.assertEqual({a["Name"] for a in got["Attributes"]}, {"a-b", "select"})
        self.assertNotIn("Attributes", self.pages("select nothing from `%s`" % domain)[0][0])

    def test_order(self):
        domain = self.domain(("a", [("n", "2")]), ("b", [("n", "10")]), ("c", [("n", "2")]),
                             ("d", [("x", "1")]))
        for order, wanted in {"n > '' order by n": "bac", "n > '' order by n asc": "bac",
                              "n > '' order by n desc": "cab",
                              "n is not null order by n limit 2": "bac",
                              "itemName() > '' order by itemName() desc": "dcba",
                              "itemName() like '%' order by itemName()": "abcd"}.items():
            got = self.select("select itemName() from `%s` where %s" % (domain, order))
            self.assertEqual("".join(got), wanted, order)
        for bad in ("order by n", "where x = '1' order by n", "where n is null order by n"):
            self.fails("InvalidSortExpression", self.sdb.select,
                       SelectExpression="select * from `%s` %s" % (domain, bad))

    def test_edges_of_a_query(self):
        domain = self.domain(("a", [("k19", "v")]))
        start = "select * from `%s` where " % domain

        def tests(count, form):
            return start + " or ".join(form % i for i in range(count))
        self.assertEqual(self.select(tests(20, "k%d = 'v'")), ["a"])
        self.fails("InvalidNumberPredicates", self.sdb.select,
                   SelectExpression=tests(21, "k = 'v%d'"),
                   text="Too many predicates in the query expression.")
        values = ", ".join("'v%d'" % i for i in range(19)) + ", 'v'"
        self.assertEqual(self.select(start + "k19 in (%s)" % values), ["a"])
        self.fails("InvalidNumberValueTests", self.sdb.select,
                   SelectExpression=start + "k19 in (%s, 'x')" % values,
                   text="Too many value tests per predicate in the query expression.")
        names = ["k%d" % i for i in range(20)]
        got = self.pages("select %s from `%s`" % (", ".join(names), domain))
        self.assertEqual(got[0][0]["Attributes"], [{"Name": "k19", "Value": "v"}])
        self.fails("TooManyRequestedAttributes", self.sdb.select,
                   SelectExpression="select %s, z from `%s`" % (", ".join(names), domain))
        for bad in ("k19 = 5", "k19 = v", "k19 == 'v'", "k19 'v'", "= 'v'", "k19 in ()",
                    "k19 between 'a'", "every(k19 = 'v'", "not", "k19 = 'v' and", "(k19 = 'v'",
                    "k19 = 'v')", "k19 is 'v'", "k19 = 'v' limit x", "k19 = 'v' order n",
                    "every(k19)", "k19 = 'v' limit 1 limit 1", "k19 like v", "1k = 'v'"):
            self.fails("InvalidQueryExpression", self.sdb.select, SelectExpression=start + bad,
                       text="The specified query expression syntax is not valid.")


class Limits(SdbCase):
    def test_item_and_batch(self):
        domain = self.domain()
        full = [("n", "%03d" % i) for i in range(256)]
        self.sdb.put_attributes(DomainName=domain, ItemName="full", Attributes=pairs(*full))
        self.sdb.put_attributes(DomainName=domain, ItemName="full", Attributes=pairs(full[0]))
        self.fails("NumberItemAttributesExceeded", self.sdb.put_attributes, status=409,
                   DomainName=domain, ItemName="full", Attributes=pairs(("n", "new")))
        self.fails("NumberSubmittedAttributesExceeded", self.sdb.put_attributes, status=409,
                   DomainName=domain, ItemName="i", Attributes=pairs(*full, ("n", "257")),
                   text="Up to 256 attributes per call allowed.")
        self.fails("NumberSubmittedAttributesExceeded", self.sdb.batch_put_attributes,
                   status=409, DomainName=domain,
                   Items=[{"Name": "i", "Attributes": pairs(*full, ("n", "257"))}])
        items = [{"Name": "b%d" % i, "Attributes": pairs(("n", "1"))} for i in range(26)]
        for call in (self.sdb.batch_put_attributes, self.sdb.batch_delete_attributes):
            call(DomainName=domain, Items=items[:25])
            self.fails("NumberSubmittedItemsExceeded", call, status=409, DomainName=domain,
                       Items=items, text="Up to 25 items per call allowed.")
            self.fails("DuplicateItemName", call, DomainName=domain, Items=[items[0]] * 2)
        # 1 MB of names and values a batch, all or nothing.
        big = [{"Name": "big%02d" % i, "Attributes": pairs(
            *[("n", "%04d" % k + "x" * 1019) for k in range(42)])} for i in range(25)]
        self.fails("InvalidParameterValue", self.sdb.batch_put_attributes, DomainName=domain,
                   Items=big)
        self.assertEqual(self.select("select itemName() from `%s` where itemName() like 'big%%'"
                                     % domain), [])
        self.sdb.batch_put_attributes(DomainName=domain, Items=big[:24])

    def test_1024_bytes(self):
        domain, edge = self.domain(), "ü" * 512
        put = dict(DomainName=domain, ItemName=edge, Attributes=pairs((edge, edge)))
        self.sdb.put_attributes(**put)
        self.assertEqual(self.select("select * from `%s` where `%s` = '%s'"
                                     % (domain, edge, edge)), [edge])
        for change in ({"ItemName": edge + "x"}, {"Attributes": pairs((edge + "x", "v"))},
                       {"Attributes": pairs(("n", edge + "x"))}, {"ItemName": ""},
                       {"Attributes": pairs(("", "v"))}):
            self.fails("InvalidParameterValue", self.sdb.put_attributes, **{**put, **change})
        self.sdb.put_attributes(**{**put, "Attributes": pairs(("empty", ""))})
        self.fails("InvalidParameterValue", self.sdb.get_attributes, DomainName=domain,
                   ItemName=edge + "x")

    def test_domain(self):
        domain = self.domain()
        self.faults("sdb.model.domain_pairs_max=3")
        self.sdb.put_attributes(DomainName=domain, ItemName="i",
                                Attributes=pairs(("a", "1"), ("a", "2"), ("a", "3")))
        self.fails("NumberDomainAttributesExceeded", self.sdb.put_attributes, status=409,
                   DomainName=domain, ItemName="j", Attributes=pairs(("a", "4")))
        self.faults("off; sdb.model.domain_bytes_max=10")
        self.fails("NumberDomainBytesExceeded", self.sdb.put_attributes, status=409,
                   DomainName=domain, ItemName="j", Attributes=pairs(("a", "4" * 20)))
        self.faults("off")

    def test_domains_in_pages(self):
        self.mock.get("/_jobq/reset", b"")
        names = ["d%03d" % i for i in range(101)]
        for name in names:
            self.sdb.create_domain(DomainName=name)
        got = self.sdb.list_domains()
        self.assertEqual(got["DomainNames"], names[:100])
        rest = self.sdb.list_domains(NextToken=got["NextToken"])
        self.assertEqual(rest["DomainNames"], names[100:])
        self.assertNotIn("NextToken", rest)
        got = self.sdb.list_domains(MaxNumberOfDomains=1)
        self.assertEqual(got["DomainNames"], names[:1])

    def test_throttled_and_stale(self):
        domain = self.domain()
        put = dict(DomainName=domain, ItemName="i", Attributes=pairs(("a", "1")))
        self.faults("sdb.model.writes_per_s=10; sdb.model.write_burst=5")

        def burst():
            for _ in range(30):
                self.sdb.put_attributes(**put)
        self.advance("1s")
        self.fails("ServiceUnavailable", burst, status=503,
                   text="currently unavailable. Please try again later")
        self.faults("off; sdb.Select.throttle=1")
        self.fails("ServiceUnavailable", self.sdb.select, status=503,
                   SelectExpression="select * from `%s`" % domain)
        # A read that is not consistent may not see what is younger than the window.
        self.faults("off; window=1000s")
        stale = 0
        for i in range(40):
            item = "w%d" % i
            self.sdb.put_attributes(**{**put, "ItemName": item})
            self.assertIn("Attributes", self.sdb.get_attributes(
                DomainName=domain, ItemName=item, ConsistentRead=True))
            stale += "Attributes" not in self.sdb.get_attributes(DomainName=domain,
                                                                 ItemName=item)
        self.assertGreater(stale, 20)
        self.advance("1001s")
        self.assertIn("Attributes", self.sdb.get_attributes(DomainName=domain, ItemName="w0"))
        self.faults("off")


class Wire(SdbCase):
    ACTIONS = {"CreateDomain": {}, "DeleteDomain": {}, "ListDomains": {}, "DomainMetadata": {},
               "PutAttributes": {"ItemName": "i", "Attribute.1.Name": "a",
                                 "Attribute.1.Value": "b"},
               "GetAttributes": {"ItemName": "i"}, "DeleteAttributes": {"ItemName": "i"},
               "BatchPutAttributes": {"Item.1.ItemName": "i", "Item.1.Attribute.1.Name": "a",
                                      "Item.1.Attribute.1.Value": "b"},
               "BatchDeleteAttributes": {"Item.1.ItemName": "i"},
               "Select": {"SelectExpression": "select * from wired"}}

    def test_box_usage_everywhere(self):
        for post in (False, True):
            self.call(Action="CreateDomain", DomainName="wired")
            for action, params in self.ACTIONS.items():
                more = {} if action in ("ListDomains", "Select") else {"DomainName": "wired"}
                status, reply = self.call(post, Action=action, **params, **more)
                self.assertEqual((status, reply.tag), (200, NS + action + "Response"))
                usage = reply.find(NS + "ResponseMetadata/" + NS + "BoxUsage").text
                self.assertRegex(usage, r"^0\.\d{10}$")
                self.assertGreater(float(usage), 0, action)
                self.call(Action="CreateDomain", DomainName="wired")

    def error(self, code, status, usage=True, **params):
        for post in (False, True):
            got, reply = self.call(post, **params)
            self.assertEqual((got, reply.find("Errors/Error/Code").text), (status, code), params)
            self.assertEqual(reply.tag, "Response")
            self.assertEqual(len(reply.find("RequestID").text), 36)
            self.assertTrue(reply.find("Errors/Error/Message").text)
            self.assertGreater(float(reply.find("Errors/Error/BoxUsage").text), -1)
            if usage:
                self.assertGreater(float(reply.find("Errors/Error/BoxUsage").text), 0, params)

    def test_errors_of_each_action(self):
        self.call(Action="CreateDomain", DomainName="wired")
        for action, params in self.ACTIONS.items():
            if action == "Select":
                self.error("MissingParameter", 400, Action=action)
                self.error("NoSuchDomain", 400, Action=action,
                           SelectExpression="select * from nowhere")
                continue
            if action == "ListDomains":
                self.error("InvalidParameterValue", 400, Action=action, MaxNumberOfDomains="x")
                continue
            self.error("MissingParameter", 400, Action=action, **params)
            self.error("InvalidParameterValue", 400, Action=action, DomainName="x", **params)
            if action not in ("CreateDomain", "DeleteDomain"):
                self.error("NoSuchDomain", 400, Action=action, DomainName="nowhere", **params)
            if "ItemName" in params:
                self.error("MissingParameter", 400, Action=action, DomainName="wired")
        put = {"Action": "PutAttributes", "DomainName": "wired", "ItemName": "i"}
        self.error("MissingParameter", 400, **put, **{"Attribute.1.Name": "a"})
        self.error("MissingParameter", 400, **put, **{"Attribute.1.Value": "a"})
        self.error("InvalidParameterValue", 400, **put, **{
            "Attribute.1.Name": "a", "Attribute.1.Value": "a", "Attribute.1.Replace": "maybe"})
        self.error("InvalidParameterValue", 400, Action="GetAttributes", DomainName="wired",
                   ItemName="i", ConsistentRead="maybe")
        self.error("InvalidAction", 400, usage=False, Action="Nothing")

    def test_conditional_delete(self):
        domain = self.domain(("i", [("v", "1"), ("m", "1"), ("m", "2")]))
        delete = dict(DomainName=domain, ItemName="i")
        for expected, code, status in (
                ({"Name": "v", "Value": "2"}, "ConditionalCheckFailed", 409),
                ({"Name": "v", "Exists": False}, "ConditionalCheckFailed", 409),
                ({"Name": "w", "Value": "2"}, "AttributeDoesNotExist", 404),
                ({"Name": "m", "Value": "1"}, "MultiValuedAttribute", 409),
                ({"Name": "v"}, "IncompleteExpectedExpression", 400),
                ({"Name": "v", "Value": "1", "Exists": False}, "ExistsAndExpectedValue", 400)):
            self.fails(code, self.sdb.delete_attributes, status=status, Expected=expected,
                       **delete)
        self.assertEqual(self.select("select * from `%s`" % domain), ["i"])
        self.sdb.delete_attributes(Expected={"Name": "v", "Value": "1", "Exists": True}, **delete)
        self.assertEqual(self.select("select * from `%s`" % domain), [])

    def test_base64_in_select(self):
        self.call(Action="CreateDomain", DomainName="odd")
        self.call(Action="PutAttributes", DomainName="odd", ItemName="i\x02",
                  **{"Attribute.1.Name": "a\x03", "Attribute.1.Value": "\x04"})
        _, got = self.call(Action="Select", SelectExpression="select * from odd")
        item = got.find(".//" + NS + "Item")
        names = [item.find(NS + "Name")] + list(item.find(NS + "Attribute"))
        self.assertEqual([(n.get("encoding"), base64.b64decode(n.text)) for n in names],
                         [("base64", b"i\x02"), ("base64", b"a\x03"), ("base64", b"\x04")])


class Signed(SdbCase):
    signed = True

    def test_version_2_of_both_hashes(self):
        host = self.mock.url[7:]
        for method, name, digest in (("GET", "HmacSHA1", hashlib.sha1),
                                     ("POST", "HmacSHA1", hashlib.sha1),
                                     ("GET", "HmacSHA256", hashlib.sha256)):
            params = {"Action": "ListDomains", "Version": "2009-04-15", "SignatureVersion": "2",
                      "AWSAccessKeyId": livelib.KEYS["AWS_ACCESS_KEY_ID"],
                      "SignatureMethod": name, "Timestamp": datetime.datetime.utcnow()
                      .strftime("%Y-%m-%dT%H:%M:%SZ")}
            query = "&".join("%s=%s" % (k, urllib.parse.quote(v, safe="-_.~"))
                             for k, v in sorted(params.items()))
            text = "%s\n%s\n/\n%s" % (method, host, query)
            mac = hmac.new(livelib.KEYS["AWS_SECRET_ACCESS_KEY"].encode(), text.encode(), digest)
            for signature, wanted in ((base64.b64encode(mac.digest()).decode(), 200),
                                      (base64.b64encode(b"x" * 20).decode(), 403)):
                whole = query + "&Signature=" + urllib.parse.quote(signature, safe="")
                got = self.http("/?" + whole) if method == "GET" else \
                    self.http("/", "POST", whole.encode())
                self.assertEqual(got[0], wanted, (method, name, got[2]))

    def test_version_4(self):
        request = botocore.awsrequest.AWSRequest(
            "GET", self.mock.url + "/?Action=ListDomains&Version=2009-04-15")
        keys = botocore.credentials.Credentials(*livelib.KEYS.values())
        botocore.auth.SigV4Auth(keys, "sdb", "us-east-1").add_auth(request)
        status, _, text = self.http("/?Action=ListDomains&Version=2009-04-15",
                                    **dict(request.headers.items()))
        self.assertEqual(status, 200, text)


if __name__ == "__main__":
    unittest.main()
