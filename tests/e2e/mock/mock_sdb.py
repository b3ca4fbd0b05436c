"""SimpleDB of jobqmock as boto3 sees it (Query, signature version 2): the ten actions,
Select, conditions, errors, limits, BoxUsage."""
import unittest
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET

import botocore.exceptions

from mocklib import MockCase


def pairs(**attributes):
    return [{"Name": n, "Value": v} for n, vs in attributes.items()
            for v in (vs if isinstance(vs, list) else [vs])]


class SdbCase(MockCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sdb = cls.client("sdb")

    def domain(self):
        name = self.name() + "-d"
        self.sdb.create_domain(DomainName=name)
        return name

    def get(self, domain, item, names=None):
        got = self.sdb.get_attributes(DomainName=domain, ItemName=item, ConsistentRead=True,
                                      **({"AttributeNames": names} if names else {}))
        return sorted((a["Name"], a["Value"]) for a in got.get("Attributes", []))

    def select(self, expression):
        got = self.sdb.select(SelectExpression=expression, ConsistentRead=True)
        return [i["Name"] for i in got.get("Items", [])]


class Domains(SdbCase):
    def test_made_listed_deleted(self):
        names = ["list-%02d" % i for i in range(12)]
        for name in names:
            self.sdb.create_domain(DomainName=name)
            self.sdb.create_domain(DomainName=name)
        seen, token = [], None
        while True:
            more = {"NextToken": token} if token else {}
            got = self.sdb.list_domains(MaxNumberOfDomains=5, **more)
            seen += got["DomainNames"]
            token = got.get("NextToken")
            if not token:
                break
        self.assertEqual([n for n in seen if n.startswith("list-")], names)
        for name in names:
            self.sdb.delete_domain(DomainName=name)
            self.sdb.delete_domain(DomainName=name)
        left = self.sdb.list_domains().get("DomainNames", [])
        self.assertFalse(set(left) & set(names))

    def test_names(self):
        for bad in ("ab", "x" * 256, "a b c", "a/b/c", "äöü"):
            self.fails("InvalidParameterValue", self.sdb.create_domain, DomainName=bad)
        self.sdb.create_domain(DomainName="aZ9_.-" + "x" * 249)
        self.fails("MissingParameter", self.sdb.create_domain)
        self.fails("NoSuchDomain", self.sdb.put_attributes, DomainName="none",
                   ItemName="i", Attributes=pairs(a="1"),
                   text="The specified domain does not exist.")
        self.fails("NoSuchDomain", self.sdb.domain_metadata, DomainName="none")
        self.fails("NoSuchDomain", self.sdb.get_attributes, DomainName="none", ItemName="i")
        self.fails("NoSuchDomain", self.sdb.select, SelectExpression="select * from `none`")
        for bad in (0, 101):
            self.fails("InvalidParameterValue", self.sdb.list_domains, MaxNumberOfDomains=bad)

    def test_metadata(self):
        domain = self.domain()
        self.sdb.put_attributes(DomainName=domain, ItemName="item", Attributes=pairs(
            colour=["red", "blue"], size="10"))
        got = self.sdb.domain_metadata(DomainName=domain)
        self.assertEqual((got["ItemCount"], got["ItemNamesSizeBytes"],
                          got["AttributeNameCount"], got["AttributeNamesSizeBytes"],
                          got["AttributeValueCount"], got["AttributeValuesSizeBytes"]),
                         (1, 4, 2, 10, 3, 9))
        self.assertGreater(got["Timestamp"], 1e9)

    def test_250_domains(self):
        self.mock.get("/_jobq/reset", b"")
        for i in range(250):
            self.sdb.create_domain(DomainName="many-%03d" % i)
        self.fails("NumberDomainsExceeded", self.sdb.create_domain, status=409,
                   DomainName="many-250")
        self.mock.get("/_jobq/reset", b"")


class Items(SdbCase):
    def test_put_get_delete(self):
        domain = self.domain()
        put = dict(DomainName=domain, ItemName="i")
        self.sdb.put_attributes(Attributes=pairs(a=["1", "2"], b="x"), **put)
        self.sdb.put_attributes(Attributes=pairs(a="2"), **put)
        self.assertEqual(self.get(domain, "i"), [("a", "1"), ("a", "2"), ("b", "x")])
        self.sdb.put_attributes(Attributes=[{"Name": "a", "Value": "3", "Replace": True}],
                                **put)
        self.assertEqual(self.get(domain, "i"), [("a", "3"), ("b", "x")])
        self.assertEqual(self.get(domain, "i", ["b", "none"]), [("b", "x")])
        self.sdb.delete_attributes(Attributes=[{"Name": "a", "Value": "9"}], **put)
        self.assertEqual(self.get(domain, "i", ["a"]), [("a", "3")])
        self.sdb.delete_attributes(Attributes=[{"Name": "a"}], **put)
        self.assertEqual(self.get(domain, "i"), [("b", "x")])
        self.sdb.delete_attributes(**put)
        self.sdb.delete_attributes(**put)
        got = self.sdb.get_attributes(DomainName=domain, ItemName="i")
        self.assertNotIn("Attributes", got)

    def test_text(self):
        domain = self.domain()
        value = "grüße <&>\"' \U0001f600"
        self.sdb.put_attributes(DomainName=domain, ItemName="ä&<", Attributes=pairs(é=value))
        self.assertEqual(self.get(domain, "ä&<"), [("é", value)])
        self.assertEqual(self.select("select * from `%s` where `é` = '%s'" % (
            domain, value.replace("'", "''"))), ["ä&<"])

    def test_conditions(self):
        domain = self.domain()
        put = dict(DomainName=domain, ItemName="i")
        absent = {"Name": "v", "Exists": False}
        self.sdb.put_attributes(Attributes=pairs(v="1"), Expected=absent, **put)
        self.fails("ConditionalCheckFailed", self.sdb.put_attributes, status=409,
                   Attributes=pairs(v="2"), Expected=absent,
                   text="Attribute (v) value exists", **put)
        self.fails("ConditionalCheckFailed", self.sdb.put_attributes, status=409,
                   Attributes=pairs(v="2"), Expected={"Name": "v", "Value": "7"},
                   text="Attribute (v) value is (1) but was expected (7)", **put)
        self.sdb.put_attributes(Attributes=[{"Name": "v", "Value": "2", "Replace": True}],
                                Expected={"Name": "v", "Value": "1", "Exists": True}, **put)
        self.assertEqual(self.get(domain, "i"), [("v", "2")])
        self.fails("AttributeDoesNotExist", self.sdb.put_attributes, status=404,
                   Attributes=pairs(v="2"), Expected={"Name": "w", "Value": "7"}, **put)
        self.sdb.put_attributes(Attributes=pairs(v="3"), **put)
        self.fails("MultiValuedAttribute", self.sdb.put_attributes, status=409,
                   Attributes=pairs(v="4"), Expected={"Name": "v", "Value": "2"}, **put)
        self.fails("ConditionalCheckFailed", self.sdb.delete_attributes, status=409,
                   Expected=absent, **put)
        for bad in ({"Name": "v"}, {"Name": "v", "Exists": True}, {"Value": "1"}):
            self.fails("IncompleteExpectedExpression", self.sdb.put_attributes,
                       Attributes=pairs(v="4"), Expected=bad, **put)
        self.fails("ExistsAndExpectedValue", self.sdb.put_attributes, Attributes=pairs(v="4"),
                   Expected={"Name": "v", "Value": "1", "Exists": False}, **put)
        self.assertEqual(self.get(domain, "i"), [("v", "2"), ("v", "3")])

    def test_batches(self):
        domain = self.domain()
        items = [{"Name": "i%02d" % i, "Attributes": pairs(n=str(i))} for i in range(25)]
        self.sdb.batch_put_attributes(DomainName=domain, Items=items)
        self.assertEqual(len(self.select("select * from `%s`" % domain)), 25)
        self.fails("NumberSubmittedItemsExceeded", self.sdb.batch_put_attributes, status=409,
                   DomainName=domain, Items=items + [{"Name": "x", "Attributes": pairs(n="1")}])
        self.fails("DuplicateItemName", self.sdb.batch_put_attributes, DomainName=domain,
                   Items=[items[0], items[0]])
        self.sdb.batch_delete_attributes(DomainName=domain, Items=[
            {"Name": "i00"}, {"Name": "i01", "Attributes": pairs(n="1")},
            {"Name": "i02", "Attributes": pairs(n="9")}])
        self.assertEqual(set(self.select("select * from `%s`" % domain)),
                         {"i%02d" % i for i in range(2, 25)})
        self.fails("MissingParameter", self.sdb.batch_put_attributes, DomainName=domain)

    def test_limits(self):
        domain = self.domain()
        put = dict(DomainName=domain, ItemName="i")
        long = "x" * 1025
        self.fails("InvalidParameterValue", self.sdb.put_attributes,
                   Attributes=pairs(a=long), **put)
        self.fails("InvalidParameterValue", self.sdb.put_attributes,
                   Attributes=[{"Name": long, "Value": "v"}], **put)
        self.fails("InvalidParameterValue", self.sdb.put_attributes, DomainName=domain,
                   ItemName=long, Attributes=pairs(a="1"))
        self.sdb.put_attributes(Attributes=pairs(a="x" * 1024), **put)
        many = pairs(m=[str(i) for i in range(257)])
        self.fails("NumberSubmittedAttributesExceeded", self.sdb.put_attributes, status=409,
                   Attributes=many, **put)
        self.sdb.put_attributes(Attributes=many[:255], **put)
        self.fails("NumberItemAttributesExceeded", self.sdb.put_attributes, status=409,
                   Attributes=pairs(z="1"), **put)
        self.fails("MissingParameter", self.sdb.put_attributes, **put)
        self.fails("MissingParameter", self.sdb.put_attributes, DomainName=domain,
                   Attributes=pairs(a="1"))


class Select(SdbCase):
    """The developer guide's book catalogue (Using Select, sample data set)."""
    BOOKS = {
        "0385333498": dict(Title="The Sirens of Titan", Author="Kurt Vonnegut",
                           Year="1959", Pages="00336", Keyword=["Book", "Paperback"],
                           Rating=["*****", "5 stars", "Excellent"]),
        "0802131786": dict(Title="Tropic of Cancer", Author="Henry Miller", Year="1934",
                           Pages="00318", Keyword="Book", Rating="****"),
        "1579124585": dict(Title="The Right Stuff", Author="Tom Wolfe", Year="1979",
                           Pages="00304", Keyword=["Book", "Hardcover", "American"],
                           Rating=["****", "4 stars"]),
        "B000T9886K": dict(Title="In Between", Author="Paul Van Dyk", Year="2007",
                           Keyword=["CD", "Trance"], Rating="4 stars"),
        "B00005JPLW": dict(Title="300", Author="Zack Snyder", Year="2007",
                           Keyword=["DVD", "Action", "Frank Miller"],
                           Rating=["***", "3 stars", "Not bad"]),
        "B000SF3NGK": dict(Title="Heaven's Gonna Burn Your Eyes", Author="Thievery Corporation",
                           Year="2002", Rating="*****")}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sdb.create_domain(DomainName="mydomain")
        cls.sdb.batch_put_attributes(DomainName="mydomain", Items=[
            {"Name": n, "Attributes": pairs(**a)} for n, a in cls.BOOKS.items()])

    def test_guide(self):
        a, b, c, d, e, f = self.BOOKS
        wanted = {
            "Title = 'The Right Stuff'": [c],
            "Year > '1985'": [d, e, f],
            "Rating like '****%'": [a, b, c, f],
            "Pages < '00320'": [b, c],
            "Year > '1975' and Year < '2008'": [c, d, e, f],
            "Year between '1975' and '2008'": [c, d, e, f],
            "Rating = '***' or Rating = '*****'": [a, e, f],
            "(Year > '1950' and Year < '1960') or Year like '193%' or Year = '2007'":
                [a, b, d, e],
            "Rating = '4 stars' or Rating = '****'": [b, c, d],
            "Keyword = 'Book' and Keyword = 'Hardcover'": [],
            "every(Keyword) in ('Book', 'Paperback')": [a, b],
            "Rating = '****'": [b, c],
            "every(Rating) = '****'": [b],
            "Keyword = 'Book' intersection Keyword = 'Hardcover'": [c],
            "Year < '1980' intersection Author like 'K%'": [a],
            "Pages is null": [d, e, f],
            "Pages is not null": [a, b, c],
            "not Year = '2007' and Year > '1960'": [c, f],
            "itemName() like 'B000%'": [d, e, f],
            "itemName() = '%s'" % a: [a],
            "Author != 'Tom Wolfe'": [a, b, d, e, f],
            "Title = 'Heaven''s Gonna Burn Your Eyes'": [f],
            "`Title` = \"300\"": [e],
            "Title not like 'The%'": [b, d, e, f],
            "Author like '%Miller'": [b]}
        for where, items in wanted.items():
            got = self.select("select * from mydomain where " + where)
            self.assertEqual(sorted(got), sorted(items), where)

    def test_order(self):
        order = "select * from mydomain where Year < '1980' order by Year"
        a, b, c, d, e, f = self.BOOKS
        self.assertEqual(self.select(order), [b, a, c])
        self.assertEqual(self.select(order + " desc"), [c, a, b])
        self.assertEqual(self.select("select * from mydomain where itemName() is not null "
                                     "order by itemName() desc limit 2"), [d, f])
        self.assertEqual(self.select("select * from mydomain where Year < '1980' intersection "
                                     "Title is not null order by Title"), [c, a, b])
        self.fails("InvalidSortExpression", self.sdb.select,
                   SelectExpression="select * from mydomain order by Year")

    def test_outputs(self):
        got = self.sdb.select(SelectExpression="select count(*) from mydomain")["Items"]
        self.assertEqual(got, [{"Name": "Domain", "Attributes":
                                [{"Name": "Count", "Value": "6"}]}])
        got = self.sdb.select(SelectExpression="select itemName() from mydomain limit 1")
        self.assertEqual(list(got["Items"][0]), ["Name"])
        got = self.sdb.select(SelectExpression="select Year, Title from mydomain where "
                              "itemName() = '0385333498'")["Items"][0]["Attributes"]
        self.assertEqual({x["Name"] for x in got}, {"Year", "Title"})

    def test_pages(self):
        self.sdb.create_domain(DomainName="paged")
        for batch in range(6):
            self.sdb.batch_put_attributes(DomainName="paged", Items=[
                {"Name": "i%03d" % (batch * 25 + i), "Attributes": pairs(v="x")}
                for i in range(25)])
        for limit, pages in ((None, 2), (70, 3), (2500, 1)):
            expression = "select * from paged" + (" limit %d" % limit if limit else "")
            seen, token, count = [], None, 0
            while True:
                more = {"NextToken": token} if token else {}
                got = self.sdb.select(SelectExpression=expression, **more)
                seen += [i["Name"] for i in got["Items"]]
                count += 1
                token = got.get("NextToken")
                if not token:
                    break
            self.assertEqual((len(set(seen)), len(seen), count), (150, 150, pages))
        self.fails("InvalidNextToken", self.sdb.select,
                   SelectExpression="select * from paged", NextToken="junk")

    def test_errors(self):
        for bad in ("", "select", "select * from", "select * from mydomain where",
                    "select * from mydomain where a", "select * from mydomain limit 0",
                    "select * from mydomain limit 2501", "select * mydomain",
                    "select * from mydomain where a = 'x", "select * from my-domain"):
            with self.assertRaises(botocore.exceptions.ClientError, msg=bad) as caught:
                self.sdb.select(SelectExpression=bad)
            code = caught.exception.response["Error"]["Code"]
            self.assertIn(code, ("InvalidQueryExpression", "MissingParameter",
                                 "InvalidParameterValue"), bad)
        many = " or ".join("a = '%d'" % i for i in range(21))
        self.fails("InvalidNumberPredicates", self.sdb.select,
                   SelectExpression="select * from mydomain where " + many)
        names = ", ".join("'%d'" % i for i in range(21))
        self.fails("InvalidNumberValueTests", self.sdb.select,
                   SelectExpression="select * from mydomain where a in (%s)" % names)


class Wire(SdbCase):
    """What boto3 does not show: BoxUsage, base64, the guide's spelling of Expected."""

    def call(self, post=False, **params):
        query = urllib.parse.urlencode({"Version": "2009-04-15", **params})
        url = self.mock.url + "/"
        request = urllib.request.Request(url, data=query.encode()) if post else \
            urllib.request.Request(url + "?" + query)
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status, ET.fromstring(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, ET.fromstring(error.read())

    NS = "{http://sdb.amazonaws.com/doc/2009-04-15/}"

    def test_box_usage(self):
        status, made = self.call(Action="CreateDomain", DomainName="usage")
        usage = made.find(self.NS + "ResponseMetadata/" + self.NS + "BoxUsage").text
        self.assertEqual((status, usage), (200, "0.0055590278"))
        status, put = self.call(True, Action="PutAttributes", DomainName="usage",
                                ItemName="i", **{"Attribute.1.Name": "a",
                                                 "Attribute.1.Value": "b"})
        usage = put.find(self.NS + "ResponseMetadata/" + self.NS + "BoxUsage").text
        self.assertEqual((status, usage), (200, "0.0000219909"))
        status, error = self.call(Action="DomainMetadata", DomainName="nowhere")
        self.assertEqual(status, 400)
        self.assertEqual(error.find("Errors/Error/Code").text, "NoSuchDomain")
        self.assertGreater(float(error.find("Errors/Error/BoxUsage").text), 0)
        self.assertEqual(len(error.find("RequestID").text), 36)

    def test_base64(self):
        self.call(Action="CreateDomain", DomainName="b64")
        self.call(Action="PutAttributes", DomainName="b64", ItemName="i",
                  **{"Attribute.1.Name": "a", "Attribute.1.Value": "x\x01y"})
        _, got = self.call(Action="GetAttributes", DomainName="b64", ItemName="i")
        value = got.find(".//" + self.NS + "Value")
        self.assertEqual((value.get("encoding"), value.text), ("base64", "eAF5"))

    def test_region_of_the_host(self):
        self.call(Action="CreateDomain", DomainName="here")
        request = urllib.request.Request(
            self.mock.url + "/?Action=ListDomains&Version=2009-04-15",
            headers={"Host": "sdb.eu-west-1.amazonaws.com"})
        with urllib.request.urlopen(request) as reply:
            self.assertNotIn(b"here", reply.read())

    def test_expected_of_the_guide(self):
        self.call(Action="CreateDomain", DomainName="guide")
        put = {"Action": "PutAttributes", "DomainName": "guide", "ItemName": "i",
               "Attribute.1.Name": "a", "Attribute.1.Value": "b",
               "Expected.1.Name": "a", "Expected.1.Exists": "false"}
        self.assertEqual(self.call(**put)[0], 200)
        status, error = self.call(**put)
        self.assertEqual((status, error.find("Errors/Error/Code").text),
                         (409, "ConditionalCheckFailed"))


if __name__ == "__main__":
    unittest.main()
